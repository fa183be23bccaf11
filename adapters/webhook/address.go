package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"footway/core/fault"
)

// never are the addresses that no endpoint of a partner has: those of RFC 6890
// and its registries as they are today, and ways to write such an address in another one.
var never = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// global is all that was ever given out of IPv6 for everybody.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(text ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(text))
	for i, t := range text {
		all[i] = netip.MustParsePrefix(t)
	}
	return all
}

var errAddress = errors.New("the address is not one that partners may name")

// Addresses says where webhooks may go: anywhere on the internet, and nowhere
// within. The zero value is for production.
type Addresses struct {
	// Allow are prefixes that are let pass all the same, for tests and development.
	Allow []netip.Prefix
	// Plain lets http pass beside https, for the same.
	Plain bool
}

// permits reports whether an address may be called.
func (a Addresses) permits(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range a.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	if !ip.IsValid() || ip.Is6() && !global.Contains(ip) {
		return false
	}
	for _, p := range never {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// control looks at an address when it is about to be connected to, after the
// name was resolved: what it resolves to the next time does not matter.
func (a Addresses) control(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !a.permits(at.Addr()) {
		return errAddress
	}
	return nil
}

const maxURL = 2048

// CheckURL refuses, with fault.Invalid, a URL that can never be an endpoint. That its
// host has an address that may be called is looked at with each call.
func (a Addresses) CheckURL(text string) error {
	bad := func(format string, args ...any) error {
		return fault.New("webhook.CheckURL", fault.Invalid, "bad_url", format, args...)
	}
	if len(text) > maxURL {
		return bad("%d bytes; want at most %d", len(text), maxURL)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return bad("it is no URL; want one such as https://hooks.example.com/footway")
	case u.Scheme != "https" && (u.Scheme != "http" || !a.Plain):
		return bad("scheme %.20q; want https", u.Scheme)
	case u.User != nil:
		return bad("it holds a user; want that in the endpoint's auth")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return bad("it has a fragment, which is never sent")
	}
	return a.checkHost(u, bad)
}

func (a Addresses) checkHost(u *url.URL, bad func(string, ...any) error) error {
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if !a.permits(ip) {
			return bad("the address is private or reserved; want one on the internet")
		}
	} else if err := checkName(host); err != nil && len(a.Allow) == 0 {
		return bad("host: %w", err)
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n != 443 && n < 1024 && !a.Plain {
			return bad("port %.6q; want 443, or one from 1024", port)
		}
	}
	return nil
}

// checkName refuses names that are not public, and numbers that some resolvers take for addresses.
func checkName(host string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case host == "" || len(host) > 253 || strings.Trim(host, letters) != "" || strings.Contains(host, "..") || strings.HasPrefix(host, "."):
		return errors.New("want a name such as hooks.example.com")
	case last == host:
		return errors.New("want a public name, with a dot in it")
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(strings.ToLower(last), "0x"):
		return errors.New("want a name, or an address in its usual form")
	}
	for _, private := range [...]string{"localhost", "local", "internal", "localdomain", "lan", "home", "corp", "arpa", "onion"} {
		if strings.EqualFold(last, private) {
			return fmt.Errorf("names below %s are not public", private)
		}
	}
	return nil
}

// dialer connects to what is permitted only.
func (a Addresses) dialer(r *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: connectTime, Control: a.control, Resolver: r}
}
