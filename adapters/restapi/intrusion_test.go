package restapi

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"footway/core/delivery"
	"footway/core/porttest"
)

// TestIntrusions is the table of what strangers, and callers who want too much, get.
func TestIntrusions(t *testing.T) {
	h := newHouse(t, nil)
	mine, err := h.service.Create(t.Context(), porttest.QuoteFor("p", "mine"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := h.service.Create(t.Context(), porttest.QuoteFor("q", "theirs"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := porttest.QuoteFor("p", "elsewhere")
	elsewhere.PickupStore = "cafe/hill"
	hill, err := h.service.Create(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	one := "/v1/deliveries/" + string(mine.ID)
	other := "/v1/deliveries/" + string(theirs.ID)
	asP, asQ := "Footway-Partner: p", "Footway-Partner: q"
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	z.Write(make([]byte, 10<<20))
	z.Close()
	forged := base64.RawURLEncoding.EncodeToString([]byte("\x01\x00../../etc"))
	deep := `{"load":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}"
	for _, tt := range []struct {
		what, method, path, token, body string
		headers                         []string
		status                          int
		reason                          string
	}{
		{"no token", "GET", one, "", "", nil, 401, "unauthenticated"},
		{"an unknown token", "GET", one, "guess", "", nil, 401, "unauthenticated"},
		{"an empty token", "GET", one, "", "", []string{"Authorization: Bearer "}, 401, "unauthenticated"},
		{"another scheme", "GET", one, "", "", []string{"Authorization: Basic " + integrationsToken}, 401, "unauthenticated"},
		{"a part of the token", "GET", one, integrationsToken[:20], "", nil, 401, "unauthenticated"},
		{"no token, no such path", "GET", "/v1/admin", "", "", nil, 401, "unauthenticated"},
		{"no token, OPTIONS", "OPTIONS", one, "", "", nil, 401, "unauthenticated"},
		{"no token, another method", "DELETE", one, "", "", nil, 401, "unauthenticated"},
		{"a service that has no business here", "GET", one, deliveriesToken, "", nil, 403, "not_allowed"},
		{"a merchant that registers a business", "POST", "/v1/businesses", merchantToken, `{"name":"x"}`, nil, 403, "not_allowed"},
		{"a recipient that cancels", "POST", "/v1/deliveries/d1/cancel", recipientToken, `{}`, nil, 403, "not_allowed"},
		{"a recipient that loads", "POST", "/v1/deliveries/d1/handoff", recipientToken, `{"purpose":"load","want":"open"}`, nil, 403, "not_allowed"},
		{"a recipient that says it is staff", "POST", "/v1/deliveries/d1/handoff", recipientToken, `{"purpose":"unload","want":"open","staff":true}`, nil, 403, "not_allowed"},
		{"a merchant that unloads", "POST", one + "/handoff", merchantToken, `{"purpose":"unload","want":"open"}`, nil, 403, "not_allowed"},
		{"a merchant on somebody's behalf", "GET", one, merchantToken, "", []string{asQ}, 403, "not_allowed"},

		{"another partner's id, as a service", "GET", other, integrationsToken, "", []string{asP}, 404, delivery.UnknownDelivery},
		{"another partner's external id, as a service", "GET", "/v1/deliveries/ext:theirs", integrationsToken, "", []string{asP}, 404, delivery.UnknownDelivery},
		{"another partner's id, as a merchant", "GET", other, merchantToken, "", nil, 404, delivery.UnknownDelivery},
		{"another partner's timeline", "GET", other + "/updates", merchantToken, "", nil, 404, delivery.UnknownDelivery},
		{"another partner's events", "GET", other + "/events", merchantToken, "", nil, 404, delivery.UnknownDelivery},
		{"accept another partner's", "POST", other + "/accept", merchantToken, "{}", nil, 404, delivery.UnknownDelivery},
		{"cancel another partner's", "POST", other + "/cancel", merchantToken, "{}", nil, 404, delivery.UnknownDelivery},
		{"edit another partner's", "PATCH", other, merchantToken, "{}", nil, 404, delivery.UnknownDelivery},
		{"another partner's goods are ready", "POST", other + "/ready", merchantToken, "{}", nil, 404, delivery.UnknownDelivery},
		{"open another partner's hatch", "POST", other + "/handoff", merchantToken, `{"purpose":"load","want":"open"}`, nil, 404, delivery.UnknownDelivery},
		{"another store's id", "GET", "/v1/deliveries/" + string(hill.ID), quayToken, "", nil, 404, delivery.UnknownDelivery},
		{"another store's external id", "POST", "/v1/deliveries/ext:elsewhere/cancel", quayToken, "{}", nil, 404, delivery.UnknownDelivery},
		{"another store's board", "GET", "/v1/board?store=cafe/hill", quayToken, "", nil, 404, "unknown_store"},
		{"the whole business's board", "GET", "/v1/board?store=cafe/", quayToken, "", nil, 404, "unknown_store"},
		{"another business", "GET", "/v1/businesses/bar", quayToken, "", nil, 404, "unknown_business_id"},
		{"another store", "GET", "/v1/businesses/cafe/stores/hill", quayToken, "", nil, 404, "unknown_store_id_under_business_id"},
		{"an order at another store", "POST", "/v1/quotes", quayToken, `{"market":"m","external_id":"x","pickup":{},"dropoff":{},"load":{"length_mm":1,"width_mm":1,"height_mm":1,"grams":1},"pickup_store":"cafe/hill"}`, nil, 404, "unknown_store_id_under_business_id"},
		{"a recipient's other delivery", "GET", other, recipientToken, "", nil, 404, delivery.UnknownDelivery},
		{"no such delivery", "GET", "/v1/deliveries/none", merchantToken, "", nil, 404, delivery.UnknownDelivery},

		{"an escaped slash", "GET", "/v1/deliveries/..%2f..%2fopenapi.json", merchantToken, "", nil, 404, "no_such_path"},
		{"an escaped letter", "GET", "/v1/deliverie%73/x", merchantToken, "", nil, 404, "no_such_path"},
		{"an escaped zero", "GET", "/v1/deliveries/x%00", merchantToken, "", nil, 404, "no_such_path"},
		{"dots", "GET", "/v1/deliveries/../board", merchantToken, "", nil, 404, "no_such_path"},
		{"a dot", "GET", "/v1/./board", merchantToken, "", nil, 404, "no_such_path"},
		{"two slashes", "GET", "//v1/board", merchantToken, "", nil, 404, "no_such_path"},
		{"a slash at the end", "GET", "/v1/board/", merchantToken, "", nil, 404, "no_such_path"},
		{"a semicolon", "GET", "/v1/board;x=1", merchantToken, "", nil, 404, "no_such_path"},
		{"another form of a name", "GET", "/v1/deliveries/~~" + base64.RawURLEncoding.EncodeToString([]byte(mine.ID)), merchantToken, "", nil, 404, delivery.UnknownDelivery},
		{"another method", "PUT", one, merchantToken, "{}", nil, 405, "method_not_allowed"},
		{"an odd method", "BREW", one, merchantToken, "", nil, 405, "method_not_allowed"},
		{"HEAD of a stream", "HEAD", one + "/events", merchantToken, "", nil, 405, ""},

		{"no content type", "POST", one + "/cancel", merchantToken, "{}", []string{"Content-Type: "}, 415, "unsupported_content_type"},
		{"a form", "POST", one + "/cancel", merchantToken, "cause=x", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_content_type"},
		{"a gzip bomb", "POST", one + "/cancel", merchantToken, zipped.String(), []string{"Content-Encoding: gzip"}, 415, "unsupported_content_type"},
		{"a large body", "POST", one + "/cancel", merchantToken, `{"cause":"` + strings.Repeat("x", MaxBody) + `"}`, nil, 413, "too_large"},
		{"a body where none is wanted", "GET", one, merchantToken, "{}", nil, 400, "bad_body"},
		{"no JSON", "POST", one + "/cancel", merchantToken, "x", nil, 400, "bad_body"},
		{"two values", "POST", one + "/cancel", merchantToken, "{}{}", nil, 400, "bad_body"},
		{"an array", "POST", one + "/cancel", merchantToken, "[]", nil, 400, "bad_body"},
		{"null", "POST", one + "/cancel", merchantToken, "null", nil, 400, "bad_body"},
		{"a name twice", "POST", one + "/cancel", merchantToken, `{"cause":"a","cause":"b"}`, nil, 400, "bad_body"},
		{"a name in other letters", "POST", one + "/cancel", merchantToken, `{"Cause":"a"}`, nil, 400, "bad_body"},
		{"an unknown field", "POST", one + "/cancel", merchantToken, `{"because":"a"}`, nil, 400, "bad_body"},
		{"a partner in the body", "POST", "/v1/quotes", merchantToken, `{"partner":"q"}`, nil, 400, "bad_body"},
		{"broken UTF-8", "POST", one + "/cancel", merchantToken, "{\"cause\":\"\xff\"}", nil, 400, "bad_body"},
		{"deep nesting", "POST", "/v1/quotes", merchantToken, deep, nil, 400, "bad_body"},
		{"a wrong type", "PATCH", one, merchantToken, `{"tip_cents":"5"}`, nil, 400, "bad_body"},
		{"a fraction of a cent", "PATCH", one, merchantToken, `{"tip_cents":0.5}`, nil, 400, "bad_body"},
		{"an unknown query", "GET", "/v1/board?partner=q", merchantToken, "", nil, 400, "bad_query"},
		{"a query twice", "GET", "/v1/board?limit=1&limit=2", merchantToken, "", nil, 400, "bad_query"},
		{"a limit too high", "GET", "/v1/board?limit=1000000", merchantToken, "", nil, 400, "bad_query"},
		{"a broken query", "GET", "/v1/board?store=%zz", merchantToken, "", nil, 400, "bad_query"},
		{"a forged cursor", "GET", "/v1/board?cursor=" + forged[:len(forged)-1], merchantToken, "", nil, 400, "bad_cursor"},
		{"a cursor of another form", "GET", "/v1/board?cursor=AAAA", merchantToken, "", nil, 400, "bad_cursor"},
		{"no cursor at all", "GET", "/v1/board?cursor=%27%3BDROP", merchantToken, "", nil, 400, "bad_cursor"},
		{"a forged place in a timeline", "GET", one + "/updates?after=-1", merchantToken, "", nil, 400, "bad_cursor"},
		{"a forged Last-Event-ID", "GET", one + "/events", merchantToken, "", []string{"Last-Event-ID: 99999999999999999999"}, 400, "bad_cursor"},
		{"a forged If-Match", "PATCH", one, merchantToken, "{}", []string{"If-Match: W/x"}, 400, "bad_header"},
		{"an odd partner", "GET", one, integrationsToken, "", []string{"Footway-Partner: a/b"}, 400, "bad_header"},
		{"a key that is not the name", "POST", "/v1/quotes", merchantToken, `{"market":"m","external_id":"x"}`, []string{"Idempotency-Key: \"y\""}, 400, "idempotency_key_mismatch"},
		{"an odd key", "POST", "/v1/quotes", merchantToken, `{"market":"m"}`, []string{"Idempotency-Key: \"a\"b\""}, 400, "bad_header"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			a := h.send(tt.method, tt.path, tt.token, tt.body, tt.headers...)
			if a.status != tt.status {
				t.Fatalf("%s %s is answered with %d %s, want %d", tt.method, tt.path, a.status, a.body, tt.status)
			}
			if tt.method == "HEAD" {
				return
			}
			var p problem
			if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != problemType || p.Reason != tt.reason || p.Status != tt.status {
				t.Errorf("the answer is %s %s, want a problem with reason %q", a.header.Get("Content-Type"), a.body, tt.reason)
			}
		})
	}
}

// TestOthersDoNotExist compares, byte by byte, the answers for what is another's and for what is not.
func TestOthersDoNotExist(t *testing.T) {
	h := newHouse(t, nil)
	theirs, err := h.service.Create(t.Context(), porttest.QuoteFor("q", "theirs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []struct{ method, tail, body string }{{"GET", "", ""}, {"PATCH", "", "{}"}, {"POST", "/accept", "{}"}, {"POST", "/cancel", "{}"},
		{"POST", "/ready", "{}"}, {"GET", "/updates", ""}, {"GET", "/events", ""}} {
		for _, token := range []string{merchantToken, quayToken} {
			const id = "Request-Id: one-and-the-same"
			there := h.send(what.method, "/v1/deliveries/"+string(theirs.ID)+what.tail, token, what.body, id)
			nowhere := h.send(what.method, "/v1/deliveries/never"+what.tail, token, what.body, id)
			there.header.Del("Date")
			nowhere.header.Del("Date")
			if there.status != 404 || there.body != nowhere.body || fmt.Sprint(there.header) != fmt.Sprint(nowhere.header) {
				t.Errorf("%s %s tells another's delivery from none:\n%+v\n%+v", what.method, what.tail, there, nowhere)
			}
		}
	}
}

// TestSlowCallers are cut off, and do not hold anything up.
func TestSlowCallers(t *testing.T) {
	h := newHouse(t, nil)
	s := NewServer(h.api)
	s.HTTP().ReadHeaderTimeout, s.HTTP().ReadTimeout = 300*time.Millisecond, 600*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	dial := func(text string) *bufio.Reader {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(c)
	}
	start := time.Now()
	head := dial("GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Slow")
	body := dial("POST /v1/deliveries/x/cancel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + merchantToken + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if b, err := io.ReadAll(body); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 408 ") || !strings.Contains(string(b), reasonSlow) {
		t.Errorf("a slow body is answered with %q, %v; want 408 and the end of the connection", b, err)
	}
	if b, err := io.ReadAll(head); err != nil || len(b) > 0 && !strings.Contains(string(b), "Connection: close") {
		t.Errorf("a slow head is answered with %q, %v; want the end of the connection", b, err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("slow callers were cut off after %v", took)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if large := dialLarge(t, h.address); large != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large head is answered with %d, want 431", large)
	}
}

func dialLarge(t *testing.T, address string) int {
	t.Helper()
	a := send(t, "GET", address+"/openapi.json", "", "", "X-Large: "+strings.Repeat("x", 40<<10))
	return a.status
}

// TestNothingPersonalIsLogged plants people in a story and looks for them in the log.
func TestNothingPersonalIsLogged(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client(integrationsToken)
	r := porttest.QuoteFor("p", "a")
	if _, err := c.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Get(t.Context(), "p", "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Search(t.Context(), porttest.Market, r.Pickup.Address, 3); err != nil {
		t.Fatal(err)
	}
	h.send("POST", "/v1/quotes", integrationsToken, `{"people":{"dropoff_phone":"+12065550101","unknown":"Ada"}}`)
	h.send("GET", "/v1/board?store=Ada", merchantToken, "")
	h.send("GET", "/v1/nothing/Ada", merchantToken, "")
	h.send("ADA", "/v1/board", merchantToken, "")
	log := h.log.String()
	for _, secret := range []string{"Ada", "5550101", "5550100", "Hill Street", "1 Quay", "Quay", "ring", "soup", "ADA", "hash of", merchantToken, integrationsToken} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q:\n%s", secret, log)
		}
	}
	for _, told := range []string{"route=/v1/deliveries/{ref}", "status=200", "caller=service/integrations", "request_id=", "route=none"} {
		if !strings.Contains(log, told) {
			t.Errorf("the log does not tell %q:\n%s", told, log)
		}
	}
}
