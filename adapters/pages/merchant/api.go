package merchant

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"footway/core/fault"
)

// What the API says, as far as the pages show it; see openapi/deliveries.yaml.
type (
	found struct {
		Delivery    told   `json:"delivery"`
		People      people `json:"people"`
		TrackingURL string `json:"tracking_url"`
	}
	told struct {
		ID         string    `json:"id"`
		Market     string    `json:"market"`
		ExternalID string    `json:"external_id"`
		State      string    `json:"state"`
		Sequence   uint64    `json:"sequence"`
		Since      time.Time `json:"since"`
		ExpiresAt  time.Time `json:"expires_at"`
		Pickup     stop      `json:"pickup"`
		Load       load      `json:"load"`
		Currency   string    `json:"currency"`
		Value      int64     `json:"order_value_cents"`
		Tip        int64     `json:"tip_cents"`
		Fee        int64     `json:"fee_cents"`
		FeeParts   []struct {
			Kind   string `json:"kind"`
			Amount int64  `json:"amount_cents"`
		} `json:"fee_parts"`
		IfUndeliverable string    `json:"if_undeliverable"`
		RouteMM         int64     `json:"route_mm"`
		Promise         promise   `json:"promise"`
		Expected        promise   `json:"expected"`
		ReadyAt         time.Time `json:"ready_at"`
		ReadySaid       time.Time `json:"ready_said"`
		LoadPIN         string    `json:"load_pin"`
		Attempt         int       `json:"attempt"`
		Robot           string    `json:"robot"`
		PickupAt        time.Time `json:"pickup_at"`
		LateSince       time.Time `json:"late_since"`
		Silent          bool      `json:"silent"`
		GoingBack       string    `json:"going_back"`
		Custody         []struct {
			Carrier string    `json:"carrier"`
			From    time.Time `json:"from"`
		} `json:"custody"`
		CancelReason string `json:"cancel_reason"`
		CancelCause  string `json:"cancel_cause"`
		Times        struct {
			Quoted    time.Time `json:"quoted"`
			Requested time.Time `json:"requested"`
			Assigned  time.Time `json:"assigned"`
			AtPickup  time.Time `json:"at_pickup"`
			Loaded    time.Time `json:"loaded"`
			AtDropoff time.Time `json:"at_dropoff"`
			Ended     time.Time `json:"ended"`
		} `json:"times"`
	}
	stop struct {
		Store string `json:"store"`
	}
	load struct {
		Length int32 `json:"length_mm"`
		Width  int32 `json:"width_mm"`
		Height int32 `json:"height_mm"`
		Grams  int32 `json:"grams"`
	}
	promise struct {
		PickupP50  time.Time `json:"pickup_p50"`
		PickupP90  time.Time `json:"pickup_p90"`
		DropoffP50 time.Time `json:"dropoff_p50"`
		DropoffP90 time.Time `json:"dropoff_p90"`
	}
	people struct {
		PickupAddress string `json:"pickup_address,omitempty"`
		PickupName    string `json:"pickup_name,omitempty"`
		PickupPhone   string `json:"pickup_phone,omitempty"`
		PickupNote    string `json:"pickup_instructions,omitempty"`
		Address       string `json:"dropoff_address,omitempty"`
		GivenName     string `json:"dropoff_given_name,omitempty"`
		FamilyName    string `json:"dropoff_family_name,omitempty"`
		Phone         string `json:"dropoff_phone,omitempty"`
		Note          string `json:"dropoff_instructions,omitempty"`
		Items         []item `json:"items,omitempty"`
	}
	item struct {
		Name     string `json:"name"`
		Quantity int    `json:"quantity"`
		Price    int64  `json:"price_cents"`
	}
	update struct {
		Sequence uint64    `json:"sequence"`
		Kind     string    `json:"kind"`
		At       time.Time `json:"at"`
		From     string    `json:"from"`
		To       string    `json:"to"`
		Cause    string    `json:"cause"`
		Robot    string    `json:"robot"`
		Expected promise   `json:"expected"`
	}
	track struct {
		WaitsUntil time.Time `json:"waits_until"`
		OpenedAt   time.Time `json:"opened_at"`
	}
	point struct {
		Lat int32 `json:"lat_e7"`
		Lon int32 `json:"lon_e7"`
	}
	place struct {
		Address string `json:"address,omitempty"`
		Point   *point `json:"point,omitempty"`
	}
	match struct {
		Address     string `json:"address"`
		Point       point  `json:"point"`
		Approximate bool   `json:"approximate"`
	}
	shop struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Address  string `json:"address"`
		Phone    string `json:"phone"`
		Status   string `json:"status"`
		PrepMS   int64  `json:"prep_ms"`
		Hours    string `json:"hours"`
		Revision uint64 `json:"revision"`
	}
	refusal struct {
		Reason       string    `json:"reason"`
		Detail       string    `json:"detail"`
		NearestTime  time.Time `json:"nearest_time"`
		MeetingPoint *point    `json:"meeting_point"`
	}
	problem struct {
		Status  int      `json:"status"`
		Detail  string   `json:"detail"`
		Kind    string   `json:"kind"`
		Reason  string   `json:"reason"`
		Refusal *refusal `json:"refusal"`
	}
)

// refused is an answer of the API that is a problem.
type refused problem

func (e *refused) Error() string {
	return fmt.Sprintf("the API answered %d (%s %s)", e.Status, e.Kind, e.Reason)
}

// reasonOf returns the stable word of an error of the API or of accounts.
func reasonOf(err error) string {
	if no, ok := errors.AsType[*refused](err); ok {
		return no.Reason
	}
	return fault.ReasonOf(err)
}

// statusOf returns with which status to answer an error.
func statusOf(err error) int {
	if no, ok := errors.AsType[*refused](err); ok {
		switch no.Status {
		case http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusBadRequest, http.StatusTooManyRequests, http.StatusPreconditionFailed:
			return no.Status
		}
		return http.StatusServiceUnavailable
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Conflict:
		return http.StatusConflict
	case fault.Exhausted:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// api is the public API of Deliveries.
type api struct {
	base   *url.URL
	client *http.Client
}

// maxAnswer is how long an answer may be, in bytes.
const maxAnswer = 8 << 20

// call makes a call with a pass. Where in is nil there is no body, where out is nil the answer has none.
func (a *api) call(ctx context.Context, pass, method, path string, query url.Values, in, out any) error {
	answer, err := a.send(ctx, pass, method, path, query, in) //nolint:bodyclose // discard closes it
	if err != nil {
		return err
	}
	defer discard(answer.Body)
	if answer.StatusCode >= http.StatusBadRequest {
		return refusalIn(answer)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("an answer of the API is not what it should be: %w", err)
	}
	return nil
}

// send makes a call, and returns the answer as it comes.
func (a *api) send(ctx context.Context, pass, method, path string, query url.Values, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	to := *a.base
	to.Path = strings.TrimSuffix(to.Path, "/") + path
	to.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+pass)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return nil, &fault.Error{Op: "merchant.API", Kind: fault.Unavailable, Reason: "api_away", Err: errors.New("it cannot be reached")}
	}
	return answer, nil
}

func refusalIn(answer *http.Response) error {
	no := &refused{Status: answer.StatusCode}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode((*problem)(no)); err != nil {
		no.Reason = "unreadable"
	}
	no.Status = answer.StatusCode
	return no
}

// discard reads what is left of a body, so that its connection can be used again.
func discard(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 64<<10)) // the connection is closed otherwise
	_ = body.Close()                                         // it was read
}

// segment writes a name as one segment of a path, as the API wants it.
func segment(name string) string {
	odd := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
	if name == "" || name == "." || name == ".." || odd >= 0 || strings.HasPrefix(name, "~~") {
		return "~~" + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return name
}

func (v *visit) get(path string, query url.Values, out any) error {
	return v.api.call(v.ctx, v.pass, http.MethodGet, path, query, nil, out)
}

func (v *visit) post(path string, in, out any) error {
	return v.api.call(v.ctx, v.pass, http.MethodPost, path, nil, in, out)
}

func (v *visit) patch(path string, in, out any) error {
	return v.api.call(v.ctx, v.pass, http.MethodPatch, path, nil, in, out)
}

// delivery returns one delivery.
func (v *visit) delivery(id string) (found, error) {
	var f found
	err := v.get("/v1/deliveries/"+segment(id), nil, &f)
	return f, err
}

// shops returns the stores that the visitor may see, in the API's order.
func (v *visit) shops() ([]shop, error) {
	var all []shop
	query, pass := url.Values{}, v.pass
	if len(v.who.Account.Stores) > 1 { // a pass for one of them shows no other
		var err error
		if pass, err = v.o.Pass(&v.who.Account, ""); err != nil {
			return nil, err
		}
	}
	for {
		var page struct {
			Stores []shop `json:"stores"`
			Next   string `json:"next"`
		}
		if err := v.api.call(v.ctx, pass, http.MethodGet, "/v1/businesses/"+segment(v.who.Account.Business.ID)+"/stores", query, nil, &page); err != nil {
			return nil, err
		}
		for _, s := range page.Stores {
			if v.who.Account.May(s.ID) {
				all = append(all, s)
			}
		}
		if page.Next == "" || len(all) >= 1000 {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}
