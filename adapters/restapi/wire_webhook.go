package restapi

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"footway/core/clock"
	"footway/core/integration"
)

type wireWebhook struct {
	ID        string             `json:"id"`
	URL       string             `json:"url"`
	Events    []string           `json:"events"`
	Status    integration.Status `json:"status"`
	CreatedAt instant            `json:"created_at"`
	OldUntil  instant            `json:"old_secret_until,omitzero"`
}

// webhookTo returns an endpoint as it is now. A secret that holds no more is of no interest.
func webhookTo(e integration.Endpoint, now clock.Time) wireWebhook {
	w := wireWebhook{ID: e.ID, URL: e.URL, Events: append([]string{}, e.Events...), Status: e.Status, CreatedAt: instant(e.CreatedAt)}
	if e.Before != "" && now < e.OldUntil {
		w.OldUntil = instant(e.OldUntil)
	}
	return w
}

type wireWebhooks struct {
	Webhooks []wireWebhook `json:"webhooks"`
}

type wireNewWebhook struct {
	URL    string   `json:"url"`
	Events []string `json:"events,omitempty"`
}

type wireWebhookEdit struct {
	Status integration.Status `json:"status"`
}

type wireRotation struct {
	GraceS *int64 `json:"grace_s,omitempty"`
}

type wireResend struct {
	From string `json:"from"`
}

type wireIssuedWebhook struct {
	Webhook wireWebhook `json:"webhook"`
	Secret  string      `json:"secret"`
}

type wirePong struct {
	Taken  bool   `json:"taken"`
	Answer string `json:"answer"`
	TookMS int64  `json:"took_ms"`
}

type wireEvents struct {
	Events []wireEvent `json:"events"`
	Next   string      `json:"next,omitempty"`
}

type wireEvent struct {
	Place      string           `json:"place"`
	EventID    string           `json:"event_id"`
	Name       string           `json:"name,omitempty"`
	At         instant          `json:"at,omitzero"`
	Delivery   string           `json:"delivery"`
	Sequence   uint64           `json:"sequence"`
	ExternalID string           `json:"external_id,omitempty"`
	Store      string           `json:"store,omitempty"`
	Fate       integration.Fate `json:"fate"`
	EndedAt    instant          `json:"ended_at,omitzero"`
	Attempts   int              `json:"attempts"`
	NextAt     instant          `json:"next_at,omitzero"`
	Answer     string           `json:"answer,omitempty"`
}

func (s *webhooksAPI) eventTo(n integration.Notice) wireEvent {
	return wireEvent{Place: eventMark(n.Position), EventID: s.EventID(&n.Update), Name: n.Name, At: instant(n.At), Delivery: string(n.Delivery), Sequence: n.Sequence,
		ExternalID: n.ExternalID, Store: n.Store, Fate: n.Fate, EndedAt: instant(n.Ended), Attempts: n.Attempts, NextAt: instant(n.Next), Answer: n.Answer}
}

// An event is named by its position in its partner's log, in a form that promises nothing.

func eventMark(position uint64) string {
	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint([]byte{cursorForm}, position))
}

func eventAt(text string) (uint64, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 2 || b[0] != cursorForm {
		return 0, false
	}
	position, n := binary.Uvarint(b[1:])
	return position, n == len(b)-1 && position > 0 && position <= math.MaxInt64 && eventMark(position) == text
}
