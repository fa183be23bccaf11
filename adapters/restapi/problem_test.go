package restapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
)

// through sends an error over the wire.
func through(err error, c Caller) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(context.WithValue(WithTraces(r.Context(), "r1", ""), callerKey{}, c))
	writeProblem(w, r, settled(err))
	return w, faultOf("test", w.Code, w.Header(), w.Body.Bytes())
}

var ours = Caller{Role: RoleService, Name: "deliveries"}

// TestFaults sends each kind with each reason that changes a status, and with others.
func TestFaults(t *testing.T) {
	reasons := []string{"", "odd", "quote_expired"}
	for r := range statuses {
		reasons = append(reasons, r)
	}
	used := map[int]bool{}
	for _, row := range kinds {
		for _, reason := range reasons {
			sent := fault.New("op", row.kind, reason, "why <%d>", 1)
			w, got := through(fmt.Errorf("within: %w", sent), ours)
			if !fault.Is(got, row.kind) || fault.ReasonOf(got) != reason {
				t.Errorf("%v %q arrives as %v %q with status %d", row.kind, reason, fault.KindOf(got), fault.ReasonOf(got), w.Code)
			}
			if !strings.Contains(got.Error(), "why <1>") {
				t.Errorf("%v %q arrives with the text %q", row.kind, reason, got)
			}
			if (w.Code == 429 || w.Code == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("status %d has Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
			used[w.Code] = true
		}
		if used[row.status] == false {
			t.Errorf("kind %v was never answered with its own status %d", row.kind, row.status)
		}
	}
	for _, status := range statuses {
		if !used[status] {
			t.Errorf("status %d of the table of reasons was never answered", status)
		}
	}
}

func TestUnclassifiedErrors(t *testing.T) {
	for err, want := range map[error]fault.Kind{
		errors.New("secret"):                                      fault.Internal,
		fmt.Errorf("ask: %w", context.DeadlineExceeded):           fault.Unavailable,
		fmt.Errorf("ask: %w", context.Canceled):                   fault.Unavailable,
		fault.New("op", fault.Conflict, "", "x"):                  fault.Conflict,
		&later{error: fault.New("op", fault.Unavailable, "", "")}: fault.Unavailable,
	} {
		if _, got := through(err, ours); !fault.Is(got, want) {
			t.Errorf("%v arrives as %v, want kind %v", err, got, want)
		}
	}
}

// TestInternalTexts keeps what went wrong within from strangers.
func TestInternalTexts(t *testing.T) {
	err := fault.New("op", fault.Internal, "", "the table of secrets is broken")
	for c, told := range map[Caller]bool{ours: true, {Role: RoleMerchant, Partner: "p"}: false, {Role: RoleRecipient, Delivery: "d"}: false, {}: false} {
		if w, _ := through(err, c); strings.Contains(w.Body.String(), "secrets") != told {
			t.Errorf("%s is told %s; want the text: %v", c, w.Body, told)
		}
	}
}

func TestRefusalsAndLeaders(t *testing.T) {
	sent := dispatch.Refusal{Reason: dispatch.OutsideHours, Detail: "closed", NearestTime: clock.Time(1000)}
	w, got := through(fmt.Errorf("quote: %w", delivery.Refuse(sent)), ours)
	r, ok := errors.AsType[*delivery.Refused](got)
	if !ok || r.Refusal != sent || w.Code != http.StatusBadRequest {
		t.Errorf("a refusal arrives as %v with status %d", got, w.Code)
	}
	notLeader := fault.New("op", fault.Unavailable, reasonNotLeader, "x")
	if w, got := through(&later{error: notLeader, after: 3 * time.Second, leader: "h:1"}, ours); w.Code != http.StatusMisdirectedRequest || w.Header().Get("Retry-After") != "3" {
		t.Errorf("not the leader, who is known: status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	} else if host, moved := leaderOf(got); host != "h:1" || !moved {
		t.Errorf("the leader arrives as %q, %v", host, moved)
	}
	w, got = through(&later{error: notLeader, after: 1500 * time.Millisecond}, ours)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" {
		t.Errorf("not the leader, and nobody knows who is: status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if after, ok := RetryAfter(got); !ok || after != 2*time.Second {
		t.Errorf("RetryAfter = %v, %v; want 2 s", after, ok)
	}
	if after, ok := RetryAfter(errors.New("x")); ok || after != 0 {
		t.Errorf("RetryAfter of an error of nobody = %v, %v", after, ok)
	}
}

// TestForeignAnswers is what stands between us answering for itself.
func TestForeignAnswers(t *testing.T) {
	for _, tt := range []struct {
		status int
		kind   fault.Kind
	}{{502, fault.Unavailable}, {503, fault.Unavailable}, {504, fault.Unavailable}, {429, fault.Exhausted}, {401, fault.Forbidden}, {403, fault.Forbidden},
		{413, fault.Invalid}, {404, fault.Internal}, {400, fault.Internal}, {500, fault.Internal}, {301, fault.Internal}, {999, fault.Internal}} {
		for _, body := range []string{"", "<html>", `{"kind":"odd"}`, `{"kind":7}`} {
			for _, contentType := range []string{"text/html", problemType} {
				err := faultOf("op", tt.status, http.Header{"Content-Type": {contentType}}, []byte(body))
				if !fault.Is(err, tt.kind) {
					t.Errorf("status %d with %q as %s is %v, want kind %v", tt.status, body, contentType, err, tt.kind)
				}
			}
		}
	}
}
