package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"footway/adapters/secret"
)

// logged runs story with loggers of both kinds and returns what they wrote.
func logged(ring *secret.Ring, story func(*slog.Logger)) string {
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil), chained{&b}} {
		story(slog.New(secret.Redact(h, ring)))
	}
	return b.String()
}

// chained is a handler that writes each error of a chain, as some that collect errors do.
type chained struct{ to *bytes.Buffer }

func (chained) Enabled(context.Context, slog.Level) bool { return true }
func (c chained) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c chained) WithGroup(string) slog.Handler          { return c }
func (c chained) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			c.write(err, 20)
		}
		return true
	})
	return nil
}

// write writes an error and what it wraps, not endlessly.
func (c chained) write(err error, most int) {
	if most == 0 || err == nil {
		return
	}
	fmt.Fprintf(c.to, "chained: %v\n", err)
	defer func() { _ = recover() }() // of an Unwrap that panics
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			c.write(err, most-1)
		}
	}
	c.write(errors.Unwrap(err), most-1)
}

// The things that a log line may hold a secret in.
type (
	named    string
	stringer struct{ text string }
	valuer   struct{ text string }
	texter   struct{ text string }
	goer     struct{ text string }
	jsoner   struct{ text func() string }
	secretly struct{ cause error } // an error whose text does not tell the cause
	verbose  struct{ text string } // one that tells more with %+v
	row      struct {
		Public  string
		private string
		below   *row
		Raw     []byte
		Any     any
	}
)

func (s stringer) String() string               { return s.text }
func (v valuer) LogValue() slog.Value           { return slog.GroupValue(slog.String("x", v.text)) }
func (m texter) MarshalText() ([]byte, error)   { return []byte(m.text), nil }
func (g goer) GoString() string                 { return g.text }
func (j jsoner) MarshalJSON() ([]byte, error)   { return json.Marshal(j.text()) }
func (e secretly) Error() string                { return "it failed" }
func (e secretly) Unwrap() error                { return e.cause }
func (e verbose) Error() string                 { return "it failed" }
func (e verbose) Format(f fmt.State, verb rune) { fmt.Fprint(f, e.text) }

// places puts a text wherever a log line can hold one.
func places(text string) map[string]func(*slog.Logger) {
	attr := func(v any) func(*slog.Logger) { return func(l *slog.Logger) { l.Info("m", "k", v) } }
	cause := errors.New(text)
	return map[string]func(*slog.Logger){
		"message":      func(l *slog.Logger) { l.Info(text) },
		"attribute":    attr(text),
		"key":          func(l *slog.Logger) { l.Info("m", text, 1) },
		"group":        func(l *slog.Logger) { l.Info("m", slog.Group("g", slog.Group("h", slog.String("k", text)))) },
		"group's name": func(l *slog.Logger) { l.WithGroup(text).Info("m", "k", 1) },
		"with": func(l *slog.Logger) {
			l.With("k", text).WithGroup("g").With("n", slog.GroupValue(slog.String("k", text))).Info("m", "x", 1)
		},
		"error":          attr(cause),
		"error chain":    attr(fmt.Errorf("a: %w", fmt.Errorf("b: %w", cause))),
		"hidden chain":   attr(fmt.Errorf("a: %w", secretly{cause})),
		"joined errors":  attr(errors.Join(errors.New("x"), secretly{errors.Join(errors.New("y"), cause)})),
		"verbose error":  attr(verbose{text}),
		"url error":      attr(&url.Error{Op: "dial", URL: text, Err: cause}),
		"named string":   attr(named(text)),
		"stringer":       attr(stringer{text}),
		"valuer":         attr(valuer{text}),
		"text marshaler": attr(texter{text}),
		"go stringer":    attr(goer{text}),
		"JSON marshaler": attr(jsoner{func() string { return text }}),
		"raw JSON":       attr(json.RawMessage(fmt.Sprintf("%q", text))),
		"bytes":          attr([]byte(text)),
		"struct":         attr(row{Public: text}),
		"private field":  attr(row{private: text}),
		"pointer":        attr(&row{private: text}),
		"below":          attr(row{below: &row{}, Any: &row{Public: text}}),
		"raw field":      attr(row{Raw: []byte(text)}),
		"list":           attr([]string{"a", text}),
		"map":            attr(map[string]any{"k": []any{text}, text: 1}),
		"struct by %v": func(l *slog.Logger) {
			l.Info(fmt.Sprintf("%v %+v %#v", row{private: text}, row{Public: text}, row{Raw: []byte(text)}))
		},
		"quoted":   func(l *slog.Logger) { l.Info(fmt.Sprintf("parse %q: bad", text)) },
		"in JSON":  func(l *slog.Logger) { b, _ := json.Marshal(map[string]string{"k": text}); l.Info(string(b)) },
		"base64":   func(l *slog.Logger) { l.Info(base64.StdEncoding.EncodeToString([]byte(text))) },
		"hex":      func(l *slog.Logger) { l.Info(hex.EncodeToString([]byte(text))) },
		"query":    func(l *slog.Logger) { l.Info("GET /?a=" + url.QueryEscape(text) + "&b=1") },
		"path":     func(l *slog.Logger) { l.Info("GET /" + url.PathEscape(text) + "/x") },
		"userinfo": func(l *slog.Logger) { l.Info("dial amqp://" + url.UserPassword("guest", text).String() + "@mq:5672/") },
	}
}

// shows reports whether any writing of a secret is in what was logged.
func shows(log, text string) bool {
	for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text), base64.StdEncoding.EncodeToString([]byte(text)), hex.EncodeToString([]byte(text)),
		strings.Trim(fmt.Sprint([]byte(text)), "[]"), strings.Trim(fmt.Sprintf("%q", text), `"`)} {
		if strings.Contains(log, form) {
			return true
		}
	}
	return false
}

func TestRedactKnown(t *testing.T) {
	for _, text := range []string{planted, `p@ss/wo"rd\ <&>` + "\t'%", "line one of a key\nline two of a key", "pässwörd", "\xff\xfe binary"} {
		ring := new(secret.Ring)
		ring.Add(secret.Of(text))
		for name, place := range places(text) {
			t.Run(name, func(t *testing.T) {
				if log := logged(ring, place); shows(log, text) {
					t.Errorf("%q comes out:\n%s", text, log)
				}
				if unguarded := logged(new(secret.Ring), place); text == planted && name != "below" && !shows(unguarded, text) && !strings.Contains(unguarded, secret.Mask) {
					t.Errorf("the case proves nothing: without a ring it does not come out either\n%s", unguarded)
				}
			})
		}
	}
}

// TestRedactLate wants a secret kept out that became known after a logger was made with it.
func TestRedactLate(t *testing.T) {
	ring := new(secret.Ring)
	var b bytes.Buffer
	l := slog.New(secret.Redact(slog.NewTextHandler(&b, nil), ring)).With("k", planted).WithGroup("g").With("a", 1)
	l.Info("m", "b", 1)
	if got := b.String(); !strings.HasSuffix(got, " k="+planted+" g.a=1 g.b=1\n") {
		t.Errorf("logged %s", got)
	}
	ring.Add(secret.Of(planted))
	l.Info("m", "b", 2)
	if got := b.String(); !strings.HasSuffix(got, "msg=m k=[redacted] g.a=1 g.b=2\n") {
		t.Errorf("logged %s", got)
	}
}

// TestRedactUnknown is about secrets that nobody told of: they are known by where they stand.
func TestRedactUnknown(t *testing.T) {
	tests := []struct{ text, want string }{
		{"dial amqp://footway:PW@mq:5672/prod failed", "dial amqp://footway:[redacted]@mq:5672/prod failed"},
		{"postgres://footway:PW@db/deliveries?sslmode=require", "postgres://footway:[redacted]@db/deliveries?sslmode=require"},
		{"postgres://footway:P/W?#@db", "postgres://footway:[redacted]@db"},
		{"postgres://:P:W@W@db/x", "postgres://:[redacted]@db/x"},
		{`parse "amqp://footway:P\"W@mq": bad`, `parse "amqp://footway:[redacted]@mq": bad`},
		{`{"url":"amqp:\/\/footway:PW@mq"}`, `{"url":"amqp:\/\/footway:[redacted]@mq"}`},
		{"https://PWtoken@api.example.com/x", "https://[redacted]@api.example.com/x"},
		{"host=db password=PW user=x", "host=db password=[redacted] user=x"},
		{"host=db password = 'P W\\' W' user=x", "host=db password = [redacted] user=x"},
		{"host=db password='PW and no end", "host=db password=[redacted]"},
		{"PGPASSWORD=PW SSLPASSWORD=PW psql", "PGPASSWORD=[redacted] SSLPASSWORD=[redacted] psql"},
		{"aws_secret_access_key=PW", "aws_secret_access_key=[redacted]"},
		{`{"user": "x", "password": "P \"W", "n": 1}`, `{"user": "x", "password": [redacted], "n": 1}`},
		{`"{\"password\":\"PW\",\"n\":1}"`, `"{\"password\":[redacted],\"n\":1}"`},
		{"{User:x Password:PW Port:1}", "{User:x Password:[redacted] Port:1}"},
		{"Authorization: Basic UFdQV1BX", "Authorization: Basic [redacted]"},
		{"sent Bearer PWPWPWPWPWPWPWPW.x to it", "sent Bearer [redacted] to it"},
		{"GET /k?X-Amz-Security-Token=PW&X-Amz-Signature=PW", "GET /k?X-Amz-Security-Token=[redacted]"},
		// And what is no secret stays.
		{"postgres://footway@db:5432/deliveries", ""},
		{"databases.deliveries.password: missing; want env:NAME", ""},
		{"GET http://127.0.0.1:8080/v1/quotes?id=7", ""},
		{"robot r7 has token 12, want 13; task token: 12", ""},
		{"mail to a@b.c, ratio 3:4", ""},
		{"the secret file:/run/secrets/db cannot be read", ""},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.text
		}
		var b bytes.Buffer
		l := slog.New(secret.Redact(slog.NewJSONHandler(&b, nil), new(secret.Ring)))
		l.Info(tt.text, "k", errors.New(tt.text), "s", stringer{tt.text})
		var line map[string]any
		if err := json.Unmarshal(b.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] != want || line["k"] != want {
			t.Errorf("%s\nis logged as %s\nand          %s\nwant         %s", tt.text, line["msg"], line["k"], want)
		}
		if tt.want != "" && strings.Contains(b.String(), "PW") {
			t.Errorf("%s: something comes out: %s", tt.text, &b)
		}
	}
}

func TestRedactNames(t *testing.T) {
	for _, name := range []string{"password", "db_password", "PGPASSWORD", "Authorization", "api-key", "session_token", "secret"} {
		for _, v := range []any{"PLAIN", 12345, slog.GroupValue(slog.String("x", "PLAIN")), []byte("PLAIN"), errors.New("PLAIN")} {
			log := logged(new(secret.Ring), func(l *slog.Logger) { l.With(name, v).Info("m", slog.Group("g", slog.Any(name, v))) })
			if strings.Contains(log, "PLAIN") || strings.Contains(log, "12345") || !strings.Contains(log, secret.Mask) {
				t.Errorf("%s comes out: %s", name, log)
			}
		}
	}
}

// TestRedactLeavesTheRest wants lines without secrets as they would be without Redact.
func TestRedactLeavesTheRest(t *testing.T) {
	ring := new(secret.Ring)
	ring.Add(secret.Of(planted))
	ring.Add(secret.Of("abc")) // too short to be looked for
	story := func(l *slog.Logger) {
		l = l.With("service", "fleet").WithGroup("g").With("n", 1)
		l.Warn("abc moved", "robot", "r7", "token", 12, "at", time.Unix(1772452800, 0).UTC(), "took", time.Second, "ok", true, "f", 1.5, "u", uint64(7),
			"list", []int{1, 2}, "row", struct{ A, B int }{1, 2}, "err", fmt.Errorf("a: %w", errors.New("b")), "nil", nil, "none", error(nil))
		l.Debug("not enabled")
	}
	var plain, redacted bytes.Buffer
	untimed := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	story(slog.New(slog.NewJSONHandler(&plain, untimed)))
	story(slog.New(secret.Redact(slog.NewJSONHandler(&redacted, untimed), ring)))
	if plain.String() != redacted.String() {
		t.Errorf("logged\n%swant\n%s", &redacted, &plain)
	}
}

// TestRedactIsAHandler runs the standard library's rules for handlers.
func TestRedactIsAHandler(t *testing.T) {
	var b bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		b.Reset()
		return secret.Redact(slog.NewJSONHandler(&b, nil), new(secret.Ring))
	}, func(t *testing.T) map[string]any {
		var line map[string]any
		if err := json.Unmarshal(b.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return line
	})
}

type panics struct{}

func (panics) Error() string                { panic("Error") }
func (panics) Unwrap() error                { panic("Unwrap") }
func (panics) MarshalJSON() ([]byte, error) { panic("MarshalJSON") }
func (panics) LogValue() slog.Value         { panic("LogValue") }

type circle struct{ Next *circle }

type endless struct{}

func (endless) Error() string { return "endless" }
func (endless) Unwrap() error { return endless{} }

func TestRedactSurvives(t *testing.T) {
	type quiet struct{ error }
	ring := new(secret.Ring)
	ring.Add(secret.Of(planted))
	c := &circle{}
	c.Next = c
	for _, v := range []any{panics{}, quiet{panics{}}, c, endless{}, make(chan int), func() {}, errors.Join(), (*url.Error)(nil), (*stringer)(nil)} {
		log := logged(ring, func(l *slog.Logger) { l.Info("m", "v", v, "k", planted) })
		if strings.Contains(log, planted) || strings.Count(log, secret.Mask) < 2 {
			t.Errorf("%T: %s", v, log)
		}
	}
}

// TestRing adds while others log, and rotates a secret many times: old ones stay out, too.
func TestRing(t *testing.T) {
	ring := new(secret.Ring)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 20 {
				text := fmt.Sprintf("rotated-%d-%d.", g, i)
				ring.Add(secret.Of(text))
				if log := logged(ring, func(l *slog.Logger) { l.Info("m", "k", text) }); strings.Contains(log, text) {
					t.Errorf("%s comes out", text)
				}
			}
		})
	}
	all.Wait()
	for i := range 20 {
		text := fmt.Sprintf("rotated-0-%d.", i)
		if log := logged(ring, func(l *slog.Logger) { l.Info(text) }); strings.Contains(log, text) {
			t.Errorf("%s is no longer known", text)
		}
	}
}

// FuzzRedact plants a secret between any texts, known or only standing where secrets stand.
func FuzzRedact(f *testing.F) {
	f.Add("before ", "x", " after", uint8(0))
	f.Add("password='", `\'`, "' user=x", uint8(3))
	f.Add("amqp://u:", "@/:", "@h/", uint8(7))
	f.Add("\xff\"\\", "\n%\x00", "{}", uint8(200))
	f.Fuzz(func(t *testing.T, before, middle, after string, which uint8) {
		const begin, end = "Qk7zXv", "vXz7kQ" // no part of the secret may come out, so both ends are looked for
		text := begin + middle + end
		if strings.Contains(before+after, begin) || strings.Contains(before+after, end) {
			return
		}
		ring := new(secret.Ring)
		ring.Add(secret.Of(text))
		all := places(text)
		name := slices.Sorted(maps.Keys(all))[int(which)%len(all)]
		log := logged(ring, func(l *slog.Logger) { all[name](l.With("k", before+text+after)) })
		if strings.Contains(log, begin) || strings.Contains(log, end) {
			t.Fatalf("%s: %q comes out:\n%s", name, text, log)
		}
		unknown := []string{
			"amqp://user:" + url.PathEscape(text) + "@host/" + url.PathEscape(after), "password=" + url.QueryEscape(text) + " " + after,
			(&url.URL{Scheme: "postgres", User: url.UserPassword("u", text), Host: "db", Path: after}).String(),
		}
		line := unknown[int(which)%len(unknown)]
		log = logged(new(secret.Ring), func(l *slog.Logger) { l.Info(line, "k", stringer{line}, "e", fmt.Errorf("x: %w", errors.New(line))) })
		if strings.Contains(log, begin) || strings.Contains(log, end) {
			t.Fatalf("%q comes out:\n%s", line, log)
		}
	})
}
