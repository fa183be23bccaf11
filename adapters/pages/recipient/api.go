package recipient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"footway/core/delivery"
	"footway/core/market"
)

// What the API says, as far as the page shows it; see openapi/deliveries.yaml.
type (
	found struct {
		Delivery told `json:"delivery"`
	}
	told struct {
		ID              delivery.ID            `json:"id"`
		Market          market.ID              `json:"market"`
		State           delivery.State         `json:"state"`
		Sequence        uint64                 `json:"sequence"`
		Since           time.Time              `json:"since"`
		Robot           string                 `json:"robot"`
		UnloadPIN       string                 `json:"unload_pin"`
		Promise         promise                `json:"promise"`
		Expected        promise                `json:"expected"`
		LateSince       time.Time              `json:"late_since"`
		Silent          bool                   `json:"silent"`
		GoingBack       string                 `json:"going_back"`
		IfUndeliverable delivery.Undeliverable `json:"if_undeliverable"`
		CancelReason    delivery.Reason        `json:"cancel_reason"`
		Times           struct {
			Ended time.Time `json:"ended"`
		} `json:"times"`
		Custody []struct {
			Carrier string `json:"carrier"`
		} `json:"custody"`
	}
	promise struct {
		DropoffP50 time.Time `json:"dropoff_p50"`
		DropoffP90 time.Time `json:"dropoff_p90"`
	}
	track struct {
		Robot      *sight    `json:"robot"`
		WaitsUntil time.Time `json:"waits_until"`
		OpenedAt   time.Time `json:"opened_at"`
	}
	sight struct {
		HeardAt time.Time `json:"heard_at"`
	}
	problem struct {
		Status int    `json:"status"`
		Kind   string `json:"kind"`
		Reason string `json:"reason"`
	}
)

// refused is an answer of the API that is a problem.
type refused problem

func (e *refused) Error() string {
	return fmt.Sprintf("the API answered %d (%s %s)", e.Status, e.Kind, e.Reason)
}

// Kinds of pages that show no delivery.
const (
	expired = "expired" // the link holds no more
	unknown = "unknown" // it never did
	away    = "away"    // nobody knows just now
)

// errNoLink is for what cannot be the secret of a link.
var errNoLink = &refused{Status: http.StatusNotFound, Kind: "not_found"}

// problemOf returns which page is for an error.
func problemOf(err error) string {
	no, ok := errors.AsType[*refused](err)
	switch {
	case !ok:
		return away
	case no.Reason == "expired_link":
		return expired
	case no.Status == http.StatusUnauthorized || no.Status == http.StatusNotFound:
		return unknown
	}
	return away
}

// maxAnswer is how long an answer of the API may be, in bytes.
const maxAnswer = 1 << 20

// call asks the API with the secret of a link.
func (p *Pages) call(ctx context.Context, token, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.o.API.JoinPath(path).String(), body)
	if err != nil {
		return errors.New("the address of a call cannot be made") // it would repeat the secret
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := p.client.Do(r) //nolint:bodyclose // discard closes it
	if err != nil {
		return fmt.Errorf("call the API: %w", err)
	}
	defer discard(a.Body)
	if a.StatusCode >= http.StatusBadRequest {
		no := &refused{Status: a.StatusCode}
		if err := json.NewDecoder(io.LimitReader(a.Body, maxAnswer)).Decode((*problem)(no)); err != nil {
			no.Reason = "unreadable"
		}
		no.Status = a.StatusCode
		return no
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(a.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("an answer of the API is not what it should be: %w", err)
	}
	return nil
}
