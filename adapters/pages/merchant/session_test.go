package merchant

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
)

func TestSignIn(t *testing.T) {
	d := newDesk(t, nil)
	d.hire("ana@gull.example", account.Admin)
	b := d.stranger()
	d.leads("the board for nobody", b.get("/"), "/merchant/sign-in")
	d.wants("the door", b.get("/sign-in"), http.StatusOK, "Sign in to your shop", `autocomplete="current-password"`, "!demo shop", "!Continue with")
	wrong := b.post("/sign-in", "email", `ana@gull.example"><b>`, "password", "s3cret of another")
	d.wants("a wrong password", wrong, http.StatusForbidden, "The email or the password is wrong.", `value="ana@gull.example&#34;&gt;&lt;b&gt;"`, "!s3cret")
	d.wants("somebody unknown", b.post("/sign-in", "email", "nobody@gull.example", "password", password), http.StatusForbidden, "The email or the password is wrong.")
	if len(b.cookies) != 0 {
		t.Errorf("who is not in has cookies: %v", b.cookies)
	}
	d.leads("the right one", b.post("/sign-in", "email", " Ana@gull.example", "password", password), "/merchant/")
	d.wants("the board", b.get("/"), http.StatusOK, "Signed in as Ana Gull")
	d.leads("the door for who is in", b.get("/sign-in"), "/merchant/")

	was := *b.cookies[sessionCookie]
	d.leads("out", b.post("/sign-out"), "/merchant/sign-in")
	if len(b.cookies) != 0 {
		t.Errorf("after signing out there are cookies: %v", b.cookies)
	}
	b.cookies[sessionCookie] = &was
	d.leads("a cookie that somebody kept", b.get("/"), "/merchant/sign-in")
}

func TestCookies(t *testing.T) {
	for _, secure := range []bool{false, true} {
		d := newDesk(t, func(o *Options) { o.Secure = secure })
		b := d.somebody("ana@gull.example", account.Admin)
		b.post("/theme", "theme", "dark")
		b.post("/store", "store", "quay")
		if len(b.cookies) != 3 {
			t.Fatalf("cookies are %v", b.cookies)
		}
		for name, c := range b.cookies {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
				t.Errorf("%s: %v; want HttpOnly, SameSite=Lax, for / of this host only", name, c)
			}
			if c.Secure != secure || strings.HasPrefix(name, "__Host-") != secure {
				t.Errorf("%s: %v where browsers come by https: %v", name, c, secure)
			}
		}
		a := b.get("/settings")
		if strict := a.Header().Get("Strict-Transport-Security") != ""; strict != secure {
			t.Errorf("https is asked for: %v, where it is there: %v", strict, secure)
		}
		if secure { // what a plain page could set is not believed
			kept := b.cookies["__Host-"+sessionCookie]
			b.cookies = map[string]*http.Cookie{sessionCookie: {Name: sessionCookie, Value: kept.Value}}
			d.leads("a cookie without the prefix", b.get("/"), "/merchant/sign-in")
		}
	}
}

func TestTooManyTries(t *testing.T) {
	for _, proxies := range []bool{false, true} {
		d := newDesk(t, func(o *Options) { o.Proxies = proxies })
		d.hire("ana@gull.example", account.Admin)
		b := d.stranger()
		for i := range 10 {
			d.wants("a wrong password", b.post("/sign-in", "email", "ana@gull.example", "password", fmt.Sprint("wrong ", i)), http.StatusForbidden)
		}
		d.wants("the right one, too late", b.post("/sign-in", "email", "ana@gull.example", "password", password), http.StatusTooManyRequests, "Wait 15 minutes")
		d.clock.Advance(16 * clock.Minute)
		d.leads("after a while", b.post("/sign-in", "email", "ana@gull.example", "password", password), "/merchant/")

		// Sixty from an address are enough; what a browser claims to come through is no address.
		status := 0
		for i := range 61 {
			b := d.stranger()
			b.headers = []string{"X-Forwarded-For", fmt.Sprintf("10.1.1.%d, 192.0.2.7", i)}
			status = b.post("/sign-in", "email", fmt.Sprintf("u%d@gull.example", i), "password", "wrong").Code
		}
		if status != http.StatusTooManyRequests {
			t.Errorf("proxies %v: the sixty-first try from an address is answered with %d", proxies, status)
		}
		b = d.stranger()
		b.headers = []string{"X-Forwarded-For", "192.0.2.8"}
		want := map[bool]int{true: http.StatusForbidden, false: http.StatusTooManyRequests}[proxies]
		d.wants("another address, as a proxy says", b.post("/sign-in", "email", "x@gull.example", "password", "wrong"), want)
	}
}

func TestSessionsEnd(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	first := b.cookies[sessionCookie].Value
	d.clock.Advance(account.SessionLife - clock.Minute)
	d.wants("before two weeks are over", b.get("/settings"), http.StatusOK)
	d.clock.Advance(account.SessionLife)
	d.leads("after two weeks away", b.get("/settings"), "/merchant/sign-in")
	if a := b.get("/api/v1/deliveries/x"); a.Code != http.StatusUnauthorized {
		t.Errorf("a script gets %d", a.Code)
	}

	// A browser that comes with a session of somebody's choice gets another one.
	b.cookies[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: "chosen-by-somebody-else"}
	b.post("/sign-in", "email", "ana@gull.example", "password", password)
	second := b.cookies[sessionCookie].Value
	if second == first || second == "chosen-by-somebody-else" || len(second) < 20 {
		t.Errorf("the session is %q after %q", second, first)
	}

	// Another browser is signed out when the password changes; this one stays.
	other := d.stranger()
	other.post("/sign-in", "email", "ana@gull.example", "password", password)
	d.wants("another password, without the old one", b.post("/settings/password", "old", "a guess", "password", "quite another one"), http.StatusForbidden, "Your password now is another one.", "!a guess", "!quite another one")
	d.wants("a weak one", b.post("/settings/password", "old", password, "password", "short"), http.StatusBadRequest, "Choose a longer password")
	d.leads("another password", b.post("/settings/password", "old", password, "password", "quite another one"), "/merchant/settings?note=password")
	d.wants("this browser", b.get("/settings"), http.StatusOK)
	d.leads("the other browser", other.get("/settings"), "/merchant/sign-in")

	// Who is disabled is out at once.
	staff := d.somebody("ben@gull.example", account.Staff)
	d.wants("staff", staff.get("/settings"), http.StatusOK)
	d.leads("disable", b.post("/team/"+d.id("ben@gull.example"), "do", "disable"), "/merchant/team?note=saved")
	d.leads("disabled", staff.get("/settings"), "/merchant/sign-in")
}

// TestNowhereElse tries to have the pages send a browser elsewhere.
func TestNowhereElse(t *testing.T) {
	d := newDesk(t, nil)
	d.hire("ana@gull.example", account.Admin)
	for _, to := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)"} {
		q := "?" + url.Values{"next": {to}, "to": {to}, "return": {to}, "redirect_uri": {to}}.Encode()
		b := d.stranger()
		d.wants("the door", b.get("/sign-in"+q), http.StatusOK, "!evil.example", "!javascript:")
		d.leads("in", b.post("/sign-in"+q, "email", "ana@gull.example", "password", password, "next", to), "/merchant/")
		d.leads("a store", b.post("/store"+q, "store", "", "next", to), "/merchant/")
		d.leads("out", b.post("/sign-out"+q, "next", to), "/merchant/sign-in")
	}
	b := d.somebody("ben@gull.example", account.Staff)
	for _, path := range []string{"//evil.example", "/%2f%2fevil.example", "/%5cevil.example", "/orders/%2f%2fevil.example/ready"} {
		for _, a := range []*httptest.ResponseRecorder{b.get(path), b.post(path)} {
			if to := a.Header().Get("Location"); to != "" && !strings.HasPrefix(to, "/merchant") {
				t.Errorf("%s leads to %s", path, to)
			}
		}
	}
}

func TestInvitation(t *testing.T) {
	d := newDesk(t, nil)
	admin := d.somebody("ana@gull.example", account.Admin)
	d.wants("an invitation that is none", d.stranger().get("/invitation/none"), http.StatusNotFound, "This invitation does not work")
	d.wants("somebody who is there", admin.post("/team", "name", "Ana", "email", "ana@gull.example", "role", "staff"), http.StatusConflict, "has an account already", `value="Ana"`)
	d.wants("no address", admin.post("/team", "name", "Ben", "email", "ben", "role", "staff"), http.StatusBadRequest, "an email address such as")
	a := admin.post("/team", "name", "Ben <b>", "email", "ben@gull.example", "role", "staff", "stores", "quay")
	d.wants("an invitation", a, http.StatusOK, "Invitation for Ben &lt;b&gt;", "http://footway.example/merchant/invitation/", "!Ben <b>")
	_, after, _ := strings.Cut(a.Body.String(), "http://footway.example/merchant")
	link, _, _ := strings.Cut(after, `"`)
	d.wants("the team, later", admin.get("/team"), http.StatusOK, "ben@gull.example", "!"+link)

	ben := d.stranger()
	d.wants("the invitation", ben.get(link), http.StatusOK, "Welcome, Ben &lt;b&gt;")
	d.wants("a weak password", ben.post(link, "password", "short"), http.StatusBadRequest, "Choose a longer password", "!short")
	d.leads("a password", ben.post(link, "password", password), "/merchant/")
	d.wants("in", ben.get("/"), http.StatusOK, "Signed in as Ben")
	d.wants("once more", d.stranger().post(link, "password", password+"!"), http.StatusNotFound, "does not work")
	d.wants("the role", ben.get("/team"), http.StatusForbidden)

	a = admin.post("/team/" + d.id("ben@gull.example") + "/invitation")
	d.wants("a new one", a, http.StatusOK, "/merchant/invitation/")
	d.clock.Advance(account.InvitesFor + clock.Minute)
	_, after, _ = strings.Cut(a.Body.String(), "http://footway.example/merchant")
	link, _, _ = strings.Cut(after, `"`)
	d.wants("a week later", d.stranger().get(link), http.StatusNotFound, "does not work")
}

func TestGuest(t *testing.T) {
	d := newDesk(t, nil)
	d.wants("no guests", d.stranger().post("/sign-in/guest"), http.StatusNotFound)
	d = newDesk(t, nil)
	d.hire("ana@gull.example", account.Admin)
	d.pages.o.Guest = func(ctx context.Context) (string, error) {
		token, _, err := d.accounts.SignIn(ctx, "ana@gull.example", password, "guest")
		return token, err
	}
	b := d.stranger()
	d.wants("the door", b.get("/sign-in"), http.StatusOK, "Sign in as the demo shop")
	d.leads("a guest", b.post("/sign-in/guest"), "/merchant/")
	d.wants("in", b.get("/"), http.StatusOK, "Signed in as Ana Gull")
}

// provider vouches for whom a test names.
type provider struct{ proof account.Proof }

func (*provider) Name() string   { return "Acme" }
func (*provider) Origin() string { return "https://login.example" }
func (*provider) Begin(context.Context) (to, kept string, err error) {
	return "https://login.example/auth?state=1", "state-1", nil
}

func (p *provider) Finish(_ context.Context, kept string, answer url.Values) (account.Proof, error) {
	if kept != "state-1" || answer.Get("code") != "good" {
		return account.Proof{}, fault.New("test", fault.Forbidden, "provider", "not the one that began")
	}
	return p.proof, nil
}

func TestProvider(t *testing.T) {
	known := &provider{}
	d := newDesk(t, func(o *Options) { o.Provider = known })
	d.hire("ana@gull.example", account.Admin)
	b := d.stranger()
	a := b.get("/sign-in")
	d.wants("the door", a, http.StatusOK, "Continue with Acme")
	if p := a.Header().Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self' https://login.example;") {
		t.Errorf("the form may not lead to the provider: %s", p)
	}
	d.leads("to the provider", b.post("/sign-in/provider"), "https://login.example/auth?state=1")
	d.wants("back with another's answer", d.stranger().get("/sign-in/provider?code=good"), http.StatusForbidden, "The sign-in was not completed")
	known.proof = account.Proof{Subject: "acme|1", Email: "ana@gull.example"}
	d.wants("an address that is not verified", b.get("/sign-in/provider?code=good"), http.StatusForbidden, "Nobody of that name was invited")
	known.proof.EmailVerified = true
	d.wants("the same answer again, without what the browser kept", b.get("/sign-in/provider?code=good"), http.StatusForbidden, "not completed")
	b.post("/sign-in/provider")
	d.leads("verified", b.get("/sign-in/provider?code=good"), "/merchant/")
	d.wants("in", b.get("/"), http.StatusOK, "Signed in as Ana Gull")
}
