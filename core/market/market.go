// Package market names a city's service area. Every request, robot, task,
// queue and shard belongs to one market, so that markets scale out without
// talking to each other.
package market

// ID names a market, such as "wedgwood".
type ID string

// Market is what all services share about one market.
type Market struct {
	ID       ID     `json:"id"`
	Name     string `json:"name"`
	TimeZone string `json:"time_zone"` // IANA name, such as "America/New_York"
	Currency string `json:"currency"`  // ISO 4217, such as "USD"
}
