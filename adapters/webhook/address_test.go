package webhook

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"footway/core/fault"
	"footway/core/integration"
)

// TestPrivateAddresses lists who must never be called through us.
func TestPrivateAddresses(t *testing.T) {
	for _, ip := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1",
		"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "1::1",
	} {
		if (Addresses{}).permits(netip.MustParseAddr(ip)) {
			t.Errorf("%s may be called", ip)
		}
		if err := (Addresses{}).control("tcp", netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String(), nil); err == nil {
			t.Errorf("%s may be connected to", ip)
		}
		host := ip
		if strings.Contains(ip, ":") {
			host = "[" + strings.ReplaceAll(ip, "%", "%25") + "]"
		}
		if err := (Addresses{}).CheckURL("https://" + host + "/hook"); !fault.Is(err, fault.Invalid) {
			t.Errorf("https://%s/hook may be an endpoint: %v", host, err)
		}
	}
	for _, ip := range []string{"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "198.17.255.255", "223.255.255.255", "::ffff:8.8.8.8", "2606:4700::1111", "2a00::1"} {
		if !(Addresses{}).permits(netip.MustParseAddr(ip)) {
			t.Errorf("%s must not be called", ip)
		}
	}
	for _, c := range [][2]string{{"udp", "1.1.1.1:443"}, {"unix", "/var/run/docker.sock"}, {"tcp", "nonsense"}} {
		if err := (Addresses{}).control(c[0], c[1], nil); err == nil {
			t.Errorf("%s %s may be connected to", c[0], c[1])
		}
	}
}

func TestCheckURL(t *testing.T) {
	for _, bad := range []string{
		"", "hooks.example.com", "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://a.example/", "javascript:alert(1)", "https://", "https:///x", "https:hooks.example.com",
		"https://user:secret@hooks.example.com/", "https://user@hooks.example.com/", "https://hooks.example.com/#x", "https://hooks.example.com/#", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/",
		"https://metadata/", "https://metadata.google.internal/", "https://printer.local/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.1.:443/", "https://127.0.0.0x1/",
		"https://hooks.example.com:22/", "https://hooks.example.com:80/", "https://hooks.example.com:0/", "https://hooks.example.com:99999/", "https://hooks.example.com:/", "https://hooks.example.com\\@127.0.0.1/", "https://hooks.example.com/a b",
		"https://hooks.example.com/\n", "https://hooks..example.com/", "https://.example.com/", "https://höoks.example.com/", "https://" + strings.Repeat("a", 3000) + ".example/", "https://[::1%25lo]/", "//hooks.example.com/", "https://hooks.example.com%2f@evil/",
	} {
		if err := (Addresses{}).CheckURL(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("CheckURL(%q) = %v, want invalid", bad, err)
		}
	}
	for _, good := range []string{"https://hooks.example.com", "https://hooks.example.com/footway?x=1&y=%20", "https://hooks.example.com:443/", "https://hooks.example.com:8443/", "https://1.1.1.1/", "https://[2606:4700::1111]:8443/a", "https://xn--hks-jla.example.com/", "https://hooks.example.com./"} {
		if err := (Addresses{}).CheckURL(good); err != nil {
			t.Errorf("CheckURL(%q) = %v", good, err)
		}
	}
	dev := Addresses{Allow: prefixes("127.0.0.0/8"), Plain: true}
	if err := dev.CheckURL("http://127.0.0.1:9999/"); err != nil {
		t.Errorf("with leave: %v", err)
	}
	if err := dev.CheckURL("http://10.0.0.1/"); err == nil {
		t.Error("leave for 127/8 is leave for 10/8")
	}
}

// FuzzCheckURL looks for a URL that passes and leads somewhere else.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://hooks.example.com/a?b=c", "https://127.0.0.1/", "https://[::ffff:7f00:1]/", "https://a@b.c/", "https://0x7f.1/", "https://1.1.1.1:8443"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := Addresses{}.CheckURL(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(err.Error()) > 300 {
				t.Fatalf("CheckURL(%q) = %v", text, err)
			}
			return
		}
		// Whoever resolves the host by the loosest rules there are finds no private address in it.
		host := strings.TrimPrefix(text, "https://")
		if !strings.HasPrefix(strings.ToLower(text), "https://") || strings.ContainsAny(text, "@\\ \n\t") && strings.ContainsAny(host[:strings.IndexAny(host+"/", "/?")], "@\\ \n\t") {
			t.Fatalf("CheckURL(%q) passed", text)
		}
	})
}

// dns is a resolver whose answers change with each question, as an attacker's do.
func dns(t *testing.T, answers ...netip.Addr) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	asked := new(atomic.Int64)
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				ip := answers[min(int(asked.Add(1)), len(answers))-1]
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0}, Body: &dnsmessage.AResource{A: ip.As4()}}}
			}
			if b, err := m.Pack(); err == nil {
				conn.WriteTo(b, from) // who got none asks again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

// TestRebinding has a public name lead to addresses within.
func TestRebinding(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "169.254.169.254", "10.1.2.3", "100.64.0.1"} {
		r, asked := dns(t, netip.MustParseAddr(ip))
		c := NewClient(Options{Resolver: r})
		e := integration.Endpoint{ID: "e", URL: "https://hooks.example.com/", Auth: integration.Auth{Kind: integration.NoAuth}}
		o := c.Send(t.Context(), e, integration.Proofs{}, Message{ID: "m", Body: []byte("{}")})
		if o.Verdict != integration.Failed || !strings.Contains(o.Cause, "address") || asked.Load() == 0 {
			t.Errorf("a name that leads to %s: %+v after %d questions; want it refused for its address", ip, o, asked.Load())
		}
		e.Auth = integration.Auth{Kind: integration.OAuth, User: "u", TokenURL: "https://tokens.example.com/"}
		if o := c.Send(t.Context(), e, integration.Proofs{}, Message{ID: "m"}); !strings.Contains(o.Cause, "address") {
			t.Errorf("a token endpoint that leads to %s: %+v", ip, o)
		}
	}
}
