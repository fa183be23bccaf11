package merchant_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"footway/adapters/ident"
	"footway/adapters/memory"
	"footway/adapters/pages/merchant"
	"footway/adapters/partner"
	"footway/adapters/password"
	"footway/adapters/restapi"
	"footway/adapters/webhook"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/market"
	coremerchant "footway/core/merchant"
	"footway/core/porttest/fake"
)

// hookShop is the pages of a bakery over the real API of webhooks and memory stores.
type hookShop struct {
	t        *testing.T
	now      *fake.Clock
	log      *memory.PartnerLog
	registry *integration.Registry
	post     *integration.Post
	accounts *account.Service
	url      string
	logged   *bytes.Buffer
}

// hookSource is a source for several at once.
type hookSource struct {
	mu sync.Mutex
	fake.Source
}

func (s *hookSource) NewID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Source.NewID()
}

var bakery = coremerchant.BusinessKey{Partner: "p", ID: "bakery"}

func openHookShop(t *testing.T, change ...func(*merchant.Options)) *hookShop {
	t.Helper()
	now, stores, lines, people := fake.NewClock(fake.Start), memory.NewRegistry(), memory.NewLineStore(), memory.NewPeopleStore()
	s := &hookShop{t: t, now: now, log: memory.NewPartnerLog(now), logged: &bytes.Buffer{}}
	to := webhook.Addresses{Plain: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	s.registry = integration.NewRegistry(integration.RegistryDeps{Partners: stores, Keys: stores, Endpoints: stores, Secrets: stores, Source: &hookSource{}, Clock: now,
		CheckURL: to.CheckURL, Environment: func(market.ID) (integration.Environment, error) { return integration.Live, nil }})
	if _, err := s.registry.AddPartner(t.Context(), integration.Partner{ID: "p", Name: "P", Environment: integration.Live, Markets: []market.ID{"m"}}); err != nil {
		t.Fatal(err)
	}
	var err error
	s.post, err = integration.NewPost(integration.PostDeps{Lines: lines, Ends: lines, Log: s.log, Recent: s.log, Endpoints: s.registry, Clock: now, Name: partner.EventName}, integration.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	passes, err := ident.NewPasses(bytes.Repeat([]byte("k"), ident.MinKey))
	if err != nil {
		t.Fatal(err)
	}
	client := webhook.NewClient(webhook.Options{Addresses: to, Timeout: time.Second})
	t.Cleanup(client.Close)
	api := httptest.NewServer(restapi.NewWebhooks(restapi.WebhooksDeps{
		Registry: s.registry, Post: s.post, Names: partner.EventNames(), EventID: partner.EventID, Clock: now,
		Ping: func(ctx context.Context, e integration.Endpoint) (integration.Outcome, error) {
			proofs, err := s.registry.Proofs(ctx, e)
			return client.Send(ctx, e, proofs, webhook.Message{ID: "evt_ping_1", At: now.Now(), Body: []byte(`{}`)}), err
		},
	}, restapi.Options{Auth: restapi.Auth{People: func(_ context.Context, token string) (restapi.Caller, error) {
		pass, err := passes.Read(token, now.Now())
		return restapi.Caller{Role: restapi.RoleMerchant, Name: string(pass.Account), Partner: pass.Partner, Business: pass.Business, Store: pass.Store, Admin: pass.Admin}, err
	}}}))
	t.Cleanup(api.Close)
	s.accounts = account.NewService(account.Deps{Accounts: people, Team: people, Sessions: people, Tries: people, Hasher: password.New(password.Options{}), Source: ident.Tokens{}, Clock: now,
		NewID: func() account.ID { return account.ID(ident.IDs{}.NewID("account")) }})
	at, err := url.Parse(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	o := merchant.Options{API: at, Webhooks: at, Accounts: s.accounts, Markets: []merchant.Market{{ID: "m", Zone: time.UTC}}, Clock: now,
		Log: slog.New(slog.NewTextHandler(s.logged, nil)), Pass: func(a *account.Account, store string) (string, error) {
			return passes.Token(ident.Pass{Account: a.ID, Partner: a.Business.Partner, Business: a.Business.ID, Store: store, Admin: a.Role == account.Admin, Until: now.Now().Add(clock.Minute)})
		}}
	for _, c := range change {
		c(&o)
	}
	pages, err := merchant.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// hookBrowser is somebody's browser.
type hookBrowser struct {
	*hookShop
	session string
}

// admin returns the browser of the first person of a business.
func (s *hookShop) admin(of coremerchant.BusinessKey) (*hookBrowser, account.Account) {
	s.t.Helper()
	a, invitation, err := s.accounts.Found(s.t.Context(), of, account.Person{Email: of.ID + "@gull.example", Name: "Ana", Role: account.Admin})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.enters(invitation), a
}

func (s *hookShop) enters(invitation string) *hookBrowser {
	s.t.Helper()
	token, _, err := s.accounts.TakeInvitation(s.t.Context(), invitation, "four words of mine")
	if err != nil {
		s.t.Fatal(err)
	}
	return &hookBrowser{s, token}
}

// ask asks for a page below settings/webhooks, with a form if there is one, and follows where that leads.
func (b *hookBrowser) ask(path string, form url.Values) (int, string) {
	b.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	to, cookie := b.url+"/merchant/settings/webhooks"+path, &http.Cookie{Name: "footway-session", Value: b.session}
	for range 3 {
		r, err := http.NewRequestWithContext(b.t.Context(), method, to, body)
		if err != nil {
			b.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		a, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		if bytes.Contains(text, []byte("<script>")) || bytes.Contains(text, []byte("<b>")) || bytes.Contains(text, []byte("style=")) {
			b.t.Errorf("%s has what somebody wrote as it is, or scripts or styles of its own:\n%s", path, text)
		}
		if a.Header.Get("Location") == "" {
			return a.StatusCode, html.UnescapeString(string(text))
		}
		method, body, to = http.MethodGet, nil, b.url+a.Header.Get("Location")
	}
	b.t.Fatalf("%s leads nowhere", path)
	return 0, ""
}

// wants asks for a page, and reports unless it has all of some texts, and none of those behind a "!".
func (b *hookBrowser) wants(what, path string, form url.Values, status int, texts ...string) string {
	b.t.Helper()
	got, page := b.ask(path, form)
	for _, text := range texts {
		without, not := strings.CutPrefix(text, "!")
		if strings.Contains(page, without) == not {
			b.t.Errorf("%s: the page has %q: %v\n%s", what, without, !strings.Contains(page, without), page)
		}
	}
	if got != status {
		b.t.Errorf("%s is answered with %d, want %d", what, got, status)
	}
	return page
}

var (
	hookLink   = regexp.MustCompile(`/merchant/settings/webhooks(/id-\d+)`)
	hookSecret = regexp.MustCompile(`value="(whsec_[^"]+)"`)
	hookEvent  = regexp.MustCompile(`name="event" value="([^"]+)"`)
)

func (s *hookShop) happen(store string, id delivery.ID) {
	s.t.Helper()
	u := delivery.Update{Delivery: id, Sequence: 1, Kind: delivery.StateChanged, At: s.now.Now(), Market: "m", Partner: "p", ExternalID: "<b>" + string(id), To: delivery.Requested, Store: store}
	if err := s.log.Take(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
}

// turn tries what is due.
func (s *hookShop) turn(id string, o integration.Outcome) int {
	s.t.Helper()
	e, err := s.registry.OwnEndpoint(s.t.Context(), integration.Owner{Partner: "p"}, id)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := s.post.Open(s.t.Context(), e, "the test")
	if err != nil {
		s.t.Fatal(err)
	}
	due, err := r.Due(s.t.Context(), 100)
	for _, d := range due {
		if err == nil {
			err = r.Settle(s.t.Context(), d.Position, o)
		}
	}
	if err == nil {
		err = r.Close(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return len(due)
}

// TestWebhookPages makes a webhook by its pages, tries it, rotates it, looks at its log, and deletes it.
func TestWebhookPages(t *testing.T) {
	answers := http.StatusNoContent
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answers) }))
	defer receiver.Close()
	s := openHookShop(t)
	ana, _ := s.admin(bakery)
	ana.wants("at first", "", nil, 200, "There is no webhook yet", "New webhook", "createHmac")
	page := ana.wants("making one", "", url.Values{"url": {`ftp://hooks.example.com/"><script>alert(1)</script>`}}, 400, "cannot send to this address", `aria-invalid="true"`)
	if !strings.Contains(page, `There is no webhook yet`) {
		t.Error("a webhook was made all the same")
	}
	page = ana.wants("making one", "", url.Values{"url": {receiver.URL}, "events": {"FOOTWAY_CREATED", "DASHER_PICKED_UP"}}, 200, "shown this once", "2 kinds of events", receiver.URL)
	secret := hookSecret.FindStringSubmatch(page)
	link := hookLink.FindStringSubmatch(page)
	if secret == nil || link == nil {
		t.Fatalf("the page has the secret %v and the link %v:\n%s", secret, link, page)
	}
	one, id := link[1], strings.TrimPrefix(link[1], "/")
	ana.wants("the list", "", nil, 200, receiver.URL, "!"+secret[1], "!There is no webhook yet")
	ana.wants("the same again", "", url.Values{"url": {receiver.URL}}, 409, "a webhook to this address already")
	ana.wants("the webhook", one, nil, 200, "No event yet", "!"+secret[1])
	ana.wants("a test", one+"/ping", url.Values{}, 200, "The test event arrived: status 204")
	answers = http.StatusTeapot
	ana.wants("a test that fails", one+"/ping", url.Values{}, 200, "did not arrive: status 418")
	page = ana.wants("a new secret", one+"/secret", url.Values{"grace": {"3600"}}, 200, "the old one holds until 1:00\u00a0PM", "!"+secret[1])
	if fresh := hookSecret.FindString(page); fresh == "" || fresh == secret[0] {
		t.Errorf("the new secret is %q", fresh)
	}
	ana.wants("while both hold", one, nil, 200, "signed with two secrets: the old one holds until 1:00\u00a0PM", "!whsec_\"")
	s.happen("bakery/quay", "one")
	s.happen("bar/quay", "other")
	s.turn(id, integration.Outcome{Verdict: integration.Refused, Cause: "status 400"})
	page = ana.wants("what failed", one+"?show=failed", nil, 200, "failed, tried again", "status 400", "Ordered", "#<b>one", "!other")
	event := hookEvent.FindStringSubmatch(page)
	if event == nil {
		t.Fatal("no event of the log can be sent again")
	}
	ana.wants("paused", one+"/pause", url.Values{}, 200, "Turn on", "Is sent when the webhook is on again", "happens meanwhile is sent")
	ana.wants("sending again while it is paused", one+"/resend", url.Values{"event": {event[1]}}, 409, "The webhook is not on")
	ana.wants("on again", one+"/resume", url.Values{}, 200, "It is on.", "!Turn on<")
	ana.wants("sent again", one+"/resend", url.Values{"event": {event[1]}}, 200, "It is sent again")
	if n := s.turn(id, integration.Outcome{Cause: "status 200"}); n != 1 {
		t.Errorf("%d were due after it was to be sent again; want 1", n)
	}
	ana.wants("told", one, nil, 200, "arrived", "attempt 2", "status 200")
	ana.wants("nothing failed", one+"?show=failed", nil, 200, "Nothing failed")
	ana.wants("all again", one+"/resend-from", url.Values{"event": {event[1]}}, 200, "They are sent again")
	if n := s.turn(id, integration.Outcome{Cause: "status 200"}); n != 1 {
		t.Errorf("%d were due after all were to be sent again; want 1", n)
	}
	ana.wants("an event that never was", one+"/resend", url.Values{"event": {"AAAA"}}, 404, "no longer kept")
	ana.wants("deleted", one+"/remove", url.Values{}, 200, "The webhook is deleted", "There is no webhook yet")
	ana.wants("after that", one, nil, 404, "There is nothing here")
	if strings.Contains(s.logged.String(), "whsec_") || strings.Contains(s.logged.String(), receiver.URL) {
		t.Errorf("the log tells secrets or addresses:\n%s", s.logged)
	}
}

// TestWebhookLogInPages turns pages of a log.
func TestWebhookLogInPages(t *testing.T) {
	s := openHookShop(t)
	ana, _ := s.admin(bakery)
	one := hookLink.FindStringSubmatch(ana.wants("making one", "", url.Values{"url": {"http://127.0.0.1:9/"}}, 200))[1]
	for i := range 30 {
		s.happen("bakery/quay", delivery.ID(fmt.Sprintf("n%02d", i)))
	}
	page := ana.wants("the newest", one, nil, 200, "n29", "n05", "!n04", "Older", "!Newest")
	older := regexp.MustCompile(`href="[^"]*(\?cursor=[^"]+)"`).FindStringSubmatch(page)
	if older == nil {
		t.Fatal("there is no link to older events")
	}
	ana.wants("older ones", one+older[1], nil, 200, "n04", "n00", "!n05", "!>Older<", "Newest")
}

// TestWebhookPagesRefuse is about people who may not see webhooks, or whose they are not.
func TestWebhookPagesRefuse(t *testing.T) {
	s := openHookShop(t)
	ana, admin := s.admin(bakery)
	one := hookLink.FindStringSubmatch(ana.wants("making one", "", url.Values{"url": {"http://127.0.0.1:9/"}}, 200))[1]
	_, invitation, err := s.accounts.Invite(t.Context(), admin, account.Person{Email: "stan@gull.example", Name: "Stan", Role: account.Staff})
	if err != nil {
		t.Fatal(err)
	}
	staff := s.enters(invitation)
	bar, _ := s.admin(coremerchant.BusinessKey{Partner: "p", ID: "bar"})
	bar.wants("another business's list", "", nil, 200, "There is no webhook yet")
	for _, c := range []struct {
		path string
		form url.Values
	}{{one, nil}, {one + "?show=failed", nil}, {one + "/pause", url.Values{}}, {one + "/secret", url.Values{}}, {one + "/ping", url.Values{}}, {one + "/remove", url.Values{}},
		{one + "/resend", url.Values{"event": {"AQE"}}}, {one + "/resend-from", url.Values{"event": {"AQE"}}}} {
		staff.wants("staff: "+c.path, c.path, c.form, 403, "Only admins", "!127.0.0.1:9", "!whsec_")
		bar.wants("another business: "+c.path, c.path, c.form, 404, "There is nothing here", "!127.0.0.1:9", "!whsec_")
	}
	staff.wants("staff", "", nil, 403, "Only admins")
	staff.wants("staff that makes one", "", url.Values{"url": {"http://127.0.0.1:8/"}}, 403, "Only admins")
	ana.wants("no such button", one+"/explode", url.Values{}, 404, "There is nothing here")
	ana.wants("after all of it", "", nil, 200, "127.0.0.1:9", ">on<", "!127.0.0.1:8")
	if _, page := (&hookBrowser{s, "guess"}).ask("", nil); !strings.Contains(page, "Sign in") {
		t.Errorf("a stranger sees %s", page)
	}
}

// TestNoWebhookPages is about a deployment whose pages do not reach Integrations.
func TestNoWebhookPages(t *testing.T) {
	s := openHookShop(t, func(o *merchant.Options) { o.Webhooks = nil })
	ana, _ := s.admin(bakery)
	for path, form := range map[string]url.Values{"": nil, "/id-001": nil, "/id-001/ping": {}} {
		ana.wants("without the API: "+path, path, form, 404, "There is nothing here")
	}
	ana.wants("making one", "", url.Values{"url": {"https://hooks.example.com/"}}, 404, "There is nothing here")
	if status, page := ana.ask("/../../settings", nil); status != http.StatusOK || strings.Contains(page, "settings/webhooks") {
		t.Errorf("the settings answer %d, and lead to webhooks that are not there", status)
	}
}
