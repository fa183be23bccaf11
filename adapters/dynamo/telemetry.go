package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

var _ fleet.TelemetryStore = (*TelemetryStore)(nil)

// TelemetryStore is a fleet.TelemetryStore in the table fleet-robots, in items
// apart from the robots'.
type TelemetryStore struct{ db *DB }

// NewTelemetryStore returns the store in the tables of db.
func NewTelemetryStore(db *DB) *TelemetryStore { return &TelemetryStore{db} }

// SaveTelemetry implements fleet.TelemetryStore. It needs no attempt id: a
// repeat of a write that happened is not earlier than itself, so it happens again.
// If a later one came in between it reports false, and the later one is kept, as it should be.
func (s *TelemetryStore) SaveTelemetry(ctx context.Context, m market.ID, t fleet.Telemetry) (kept bool, err error) {
	const op = "dynamo.SaveTelemetry"
	if err := checkRobot(op, t.Robot, m); err != nil {
		return false, err
	}
	k := telemetryPrefix + string(t.Robot)
	doc, err := document(op, k, t)
	if err != nil {
		return false, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	_, err = s.db.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(s.db.tables.robots()),
		Item: item{
			attrKey:    text(k),
			attrMarket: text(telemetryPrefix + shard(m, string(t.Robot))),
			attrAt:     number(t.At),
			attrDoc:    doc,
		},
		ConditionExpression:       aws.String("attribute_not_exists(#pk) OR #at <= :at"),
		ExpressionAttributeNames:  map[string]string{"#pk": attrKey, "#at": attrAt},
		ExpressionAttributeValues: item{":at": number(t.At)},
	})
	if refused(err) {
		return false, nil
	}
	return err == nil, translate(op, err)
}

// Telemetry implements fleet.TelemetryStore.
func (s *TelemetryStore) Telemetry(ctx context.Context, id fleet.RobotID) (fleet.Telemetry, error) {
	const op = "dynamo.Telemetry"
	if err := checkID(op, "robot", string(id)); err != nil {
		return fleet.Telemetry{}, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	i, err := s.db.get(ctx, op, s.db.tables.robots(), telemetryPrefix+string(id))
	if err != nil {
		return fleet.Telemetry{}, err
	}
	if i == nil {
		return fleet.Telemetry{}, fault.New(op, fault.NotFound, "", "robot %q never reported", id)
	}
	return telemetryOf(op, i)
}

// AllTelemetry implements fleet.TelemetryStore. It reads an index, which lags.
func (s *TelemetryStore) AllTelemetry(ctx context.Context, m market.ID) ([]fleet.Telemetry, error) {
	const op = "dynamo.AllTelemetry"
	if err := checkID(op, "market", string(m)); err != nil {
		return nil, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	return inMarket(ctx, s.db, op, telemetryPrefix, m, telemetryOf, func(t *fleet.Telemetry) fleet.RobotID { return t.Robot })
}

// telemetryOf returns the telemetry that an item keeps.
func telemetryOf(op string, i item) (t fleet.Telemetry, err error) {
	if err := parse(op, i, &t); err != nil {
		return fleet.Telemetry{}, err
	}
	if k := keyOf(i); k != telemetryPrefix+string(t.Robot) {
		return fleet.Telemetry{}, badItem(op, k, "it holds the telemetry of %s", quote(string(t.Robot)))
	}
	return t, nil
}
