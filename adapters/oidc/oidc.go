// Package oidc signs people in with an identity provider, by OpenID Connect: the authorization code flow
// with PKCE, a state and a nonce.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"footway/core/account"
	"footway/core/fault"
)

// Options say who the provider is, and who we are there. Issuer, Client and Redirect are required.
type Options struct {
	Name     string // on the button; "" is "your company's sign-in"
	Issuer   string
	Client   string
	Secret   string // "" is none, as of a public client
	Redirect string // where it sends people back to
	// Client of HTTP; nil has a deadline of ten seconds.
	HTTP *http.Client
}

// Provider signs people in. It is safe for concurrent use.
type Provider struct {
	o Options

	mu    sync.Mutex
	found *oidc.Provider // once it could be asked what it is like
}

// New returns a provider. It is asked what it is like when somebody first signs in, so that we
// start without it.
func New(o Options) (*Provider, error) {
	for _, text := range []string{o.Issuer, o.Redirect} {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New("oidc: issuer and redirect_url: want addresses such as https://login.example")
		}
	}
	if o.Client == "" {
		return nil, errors.New("oidc: client_id: missing")
	}
	if o.Name == "" {
		o.Name = "your company’s sign-in"
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	return &Provider{o: o}, nil
}

// Name returns what it is called.
func (p *Provider) Name() string { return p.o.Name }

// Origin returns where it sends people.
func (p *Provider) Origin() string {
	u, err := url.Parse(p.o.Issuer)
	if err != nil {
		return "" // New has read it
	}
	return u.Scheme + "://" + u.Host
}

// kept is what the browser keeps until it comes back. Only who began can end.
type kept struct{ State, Nonce, Verifier string }

// discovered returns what the provider is like.
func (p *Provider) discovered(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// The provider keeps the context for its keys, so it must not end with the request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.o.HTTP), p.o.Issuer)
		if err != nil {
			return nil, nil, &fault.Error{Op: "oidc", Kind: fault.Unavailable, Reason: "provider_away", Err: err}
		}
		p.found = found
	}
	return p.found, &oauth2.Config{
		ClientID: p.o.Client, ClientSecret: p.o.Secret, RedirectURL: p.o.Redirect, Endpoint: p.found.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email"},
	}, nil
}

// Begin returns where to send somebody who wants to sign in, and what its browser must keep until it comes back.
func (p *Provider) Begin(ctx context.Context) (to, keep string, err error) {
	_, config, err := p.discovered(ctx)
	if err != nil {
		return "", "", err
	}
	k := kept{rand.Text(), rand.Text(), oauth2.GenerateVerifier()}
	body, err := json.Marshal(k)
	if err != nil {
		return "", "", err
	}
	return config.AuthCodeURL(k.State, oidc.Nonce(k.Nonce), oauth2.S256ChallengeOption(k.Verifier)), base64.RawURLEncoding.EncodeToString(body), nil
}

func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Finish returns whom the provider vouches for, from what it sent back with the browser. It fails
// with a fault.Forbidden error if that is nobody, or what it sent does not belong to keep.
func (p *Provider) Finish(ctx context.Context, keep string, answer url.Values) (account.Proof, error) {
	no := func(why string) (account.Proof, error) {
		return account.Proof{}, fault.New("oidc.Finish", fault.Forbidden, "provider", "%s", why)
	}
	var k kept
	body, err := base64.RawURLEncoding.DecodeString(keep)
	if err != nil || json.Unmarshal(body, &k) != nil || !same(k.State, answer.Get("state")) {
		return no("the answer belongs to no question of this browser")
	}
	if answer.Get("code") == "" {
		return no("the provider did not sign anybody in")
	}
	found, config, err := p.discovered(ctx)
	if err != nil {
		return account.Proof{}, err
	}
	token, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, p.o.HTTP), answer.Get("code"), oauth2.VerifierOption(k.Verifier))
	if err != nil {
		if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused {
			return no("the provider did not take its own code")
		}
		return account.Proof{}, &fault.Error{Op: "oidc.Finish", Kind: fault.Unavailable, Reason: "provider_away", Err: errors.New("the provider cannot be reached")}
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.o.Client}).Verify(ctx, raw)
	if err != nil || !same(k.Nonce, id.Nonce) {
		return no("the provider's token is not genuine, or not for us")
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := id.Claims(&claims); err != nil {
		return no("the provider's token cannot be read")
	}
	return account.Proof{Subject: id.Issuer + "|" + id.Subject, Email: claims.Email, EmailVerified: claims.Verified}, nil
}
