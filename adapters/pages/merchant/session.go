package merchant

import (
	"net/http"
	"strings"

	"footway/adapters/pages/kit"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
)

// What browsers keep for us.
const (
	sessionCookie  = "footway-session"
	storeCookie    = "footway-store"
	themeCookie    = "footway-theme"
	providerCookie = "footway-provider"

	yearSeconds = 365 * 24 * 3600
)

// door is what the pages before signing in show.
type door struct {
	page
	Email, Wrong, Name string
	Provider           string
	Guest              bool
	Token              string
}

func (p *Pages) door(r *http.Request, title string) *door {
	d := &door{page: page{Title: title, Theme: p.theme(r), pages: p}, Guest: p.o.Guest != nil}
	if p.o.Provider != nil {
		d.Provider = p.o.Provider.Name()
	}
	return d
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, err := p.o.Accounts.Who(r.Context(), p.cookies.Get(r, sessionCookie)); err == nil {
		http.Redirect(w, r, p.at("/"), http.StatusSeeOther)
		return
	}
	p.showDoor(w, r, "signin", http.StatusOK, p.door(r, "Sign in"))
}

func (p *Pages) showDoor(w http.ResponseWriter, r *http.Request, name string, status int, d *door) {
	if err := kit.Show(w, p.html, name, status, d); err != nil {
		p.o.Log.ErrorContext(r.Context(), "a page could not be made", "page", name, "error", err)
	}
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	token, _, err := p.o.Accounts.SignIn(r.Context(), email, r.PostFormValue("password"), p.address(r))
	if err != nil {
		d := p.door(r, "Sign in")
		d.Email, d.Wrong = email, p.said(r, err)
		p.showDoor(w, r, "signin", statusOf(err), d)
		return
	}
	p.begin(w, r, token)
}

// begin has the browser keep a session, and shows the board.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, token string) {
	p.cookies.Set(w, sessionCookie, token, int(account.SessionMost/clock.Second))
	http.Redirect(w, r, p.at("/"), http.StatusSeeOther)
}

func (p *Pages) signInGuest(w http.ResponseWriter, r *http.Request) {
	if p.o.Guest == nil {
		http.NotFound(w, r)
		return
	}
	token, err := p.o.Guest(r.Context())
	if err != nil {
		d := p.door(r, "Sign in")
		d.Wrong = p.said(r, err)
		p.showDoor(w, r, "signin", statusOf(err), d)
		return
	}
	p.begin(w, r, token)
}

// providerSeconds is how long signing in at the provider may take.
const providerSeconds = 600

func (p *Pages) signInProvider(w http.ResponseWriter, r *http.Request) {
	if p.o.Provider == nil {
		http.NotFound(w, r)
		return
	}
	to, kept, err := p.o.Provider.Begin(r.Context())
	if err != nil {
		d := p.door(r, "Sign in")
		d.Wrong = p.said(r, err)
		p.showDoor(w, r, "signin", statusOf(err), d)
		return
	}
	p.cookies.Set(w, providerCookie, kept, providerSeconds)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// signedInProvider takes up who comes back from the provider.
func (p *Pages) signedInProvider(w http.ResponseWriter, r *http.Request) {
	if p.o.Provider == nil {
		http.NotFound(w, r)
		return
	}
	kept := p.cookies.Get(r, providerCookie)
	p.cookies.Set(w, providerCookie, "", 0)
	proof, err := p.o.Provider.Finish(r.Context(), kept, r.URL.Query())
	var token string
	if err == nil {
		token, _, err = p.o.Accounts.SignInWith(r.Context(), proof)
	}
	if err != nil {
		d := p.door(r, "Sign in")
		d.Wrong = p.said(r, err)
		p.showDoor(w, r, "signin", statusOf(err), d)
		return
	}
	p.begin(w, r, token)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if err := p.o.Accounts.SignOut(r.Context(), p.cookies.Get(r, sessionCookie)); err != nil {
		p.o.Log.WarnContext(r.Context(), "a session could not be ended", "error", err)
		http.Error(w, "You could not be signed out just now. Try again.", http.StatusServiceUnavailable)
		return
	}
	p.cookies.Set(w, sessionCookie, "", 0)
	p.cookies.Set(w, storeCookie, "", 0)
	http.Redirect(w, r, p.at("/sign-in"), http.StatusSeeOther)
}

func (p *Pages) invitationPage(w http.ResponseWriter, r *http.Request) {
	p.showInvitation(w, r, nil)
}

// showInvitation shows an invitation, or that it is none, and what was wrong with the password.
func (p *Pages) showInvitation(w http.ResponseWriter, r *http.Request, wrong error) {
	d := p.door(r, "Welcome")
	status := http.StatusOK
	a, err := p.o.Accounts.Invited(r.Context(), r.PathValue("token"))
	switch {
	case err != nil:
		status, d.Title = statusOf(err), "Invitation"
		d.Wrong = p.said(r, err)
	case wrong != nil:
		status, d.Wrong = statusOf(wrong), p.said(r, wrong)
	}
	d.Token, d.Name, d.Email = r.PathValue("token"), a.Name, a.Email
	p.showDoor(w, r, "invitation", status, d)
}

func (p *Pages) takeInvitation(w http.ResponseWriter, r *http.Request) {
	token, _, err := p.o.Accounts.TakeInvitation(r.Context(), r.PathValue("token"), r.PostFormValue("password"))
	if err != nil {
		p.showInvitation(w, r, err)
		return
	}
	p.begin(w, r, token)
}

// trouble answers a request that went wrong.
func (v *visit) trouble(err error) {
	if reasonOf(err) == account.SignedOut || reasonOf(err) == "unauthenticated" {
		if v.byScript() || strings.Contains(v.r.Header.Get("Accept"), "text/event-stream") {
			http.Error(v.w, "signed out", http.StatusUnauthorized)
			return
		}
		http.Redirect(v.w, v.r, v.at("/sign-in"), http.StatusSeeOther)
		return
	}
	if v.r.Context().Err() != nil {
		return
	}
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		v.o.Log.WarnContext(v.r.Context(), "a merchant's page could not be made", "path", v.r.Pattern, "error", err)
	}
	d := v.page("Something went wrong", "")
	d.Said = v.said(v.r, err)
	if status == http.StatusNotFound {
		d.Title, d.Said = "There is nothing here", "This page or order does not exist, or it belongs to another store."
	}
	if status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", "5")
	}
	name := "problem"
	if v.byScript() {
		name = "said"
	}
	if err := kit.Show(v.w, v.html, name, status, d); err != nil {
		v.o.Log.ErrorContext(v.r.Context(), "a page could not be made", "page", "problem", "error", err)
	}
}

// said returns what to tell somebody of an error, and logs what is ours to know.
func (p *Pages) said(r *http.Request, err error) string {
	if text := wordsOfErrors[reasonOf(err)]; text != "" {
		return text
	}
	switch k := statusOf(err); {
	case k == http.StatusServiceUnavailable:
		return "Footway cannot be reached just now. Nothing is lost; try again in a moment."
	case k >= http.StatusInternalServerError:
		if fault.KindOf(err) == fault.Internal {
			p.o.Log.WarnContext(r.Context(), "a merchant's request failed", "path", r.Pattern, "error", err)
		}
	}
	return "That did not work. Try again, or call us."
}
