package rabbit

import (
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
)

// headerPublished is when a message was published, in milliseconds since 1970:
// the protocol's own time stamp knows seconds.
const headerPublished = "published_ms"

// message returns u as it crosses the broker, and its routing key.
func message(u *delivery.Update, headers map[string]string, now time.Time) (key string, m amqp.Publishing, err error) {
	body, err := delivery.EncodeUpdate(*u)
	if err != nil {
		return "", amqp.Publishing{}, err
	}
	table := amqp.Table{headerPublished: now.UnixMilli()}
	for name, value := range headers {
		table[name] = value
	}
	return routingKey(u), amqp.Publishing{
		Headers: table, ContentType: "application/json", DeliveryMode: amqp.Persistent,
		MessageId: messageID(u.Key()), Timestamp: now, Type: "delivery." + string(u.Kind), AppId: "footway", Body: body,
	}, nil
}

// messageID returns the name of an update on the broker.
func messageID(k delivery.UpdateKey) string { return fmt.Sprintf("%s/%d", k.Delivery, k.Sequence) }

// routingKey is delivery.MARKET.PARTNER.KIND.
func routingKey(u *delivery.Update) string {
	return "delivery." + routingWord(string(u.Market)) + "." + routingWord(string(u.Partner)) + "." + routingWord(string(u.Kind))
}

// routingWord makes s one word of a routing key, which is at most 255 bytes of
// words between dots, and in patterns has a meaning for * and #. Two names may
// give one word: the key is for choosing among queues, not for telling updates apart.
func routingWord(s string) string {
	const most = 64
	if s == "" {
		return "_"
	}
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
	return safe[:min(most, len(safe))]
}

// publishedAt returns when a message was published, as its publisher saw it.
func publishedAt(d *amqp.Delivery) (time.Time, bool) {
	if ms, ok := d.Headers[headerPublished].(int64); ok {
		return time.UnixMilli(ms), true
	}
	return d.Timestamp, !d.Timestamp.IsZero()
}
