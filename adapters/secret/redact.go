package secret

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// Redact returns a handler that hands everything on to h, with Mask in place of each
// secret that ring knows, in the forms in which secrets are usually written, and of what stands
// where secrets stand: passwords in URLs and in key=value lists, attributes that are called like one.
// It looks at messages, keys and values of any type, as h would write them.
func Redact(h slog.Handler, ring *Ring) slog.Handler { return &handler{base: h, ring: ring} }

// handler keeps what With added as it was given, since a secret may become
// known only after that.
type handler struct {
	base  slog.Handler
	ring  *Ring
	steps []step
	made  atomic.Pointer[made]
}

// step is a group that was opened, or attributes that were added.
type step struct {
	group string
	attrs []slog.Attr
}

// made is base with the steps taken, clean of what the ring knew then.
type made struct {
	handler slog.Handler
	known   *knowledge
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.base.Enabled(ctx, l) }

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(step{attrs: attrs})
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(step{group: name})
}

func (h *handler) with(s step) *handler {
	return &handler{base: h.base, ring: h.ring, steps: append(h.steps[:len(h.steps):len(h.steps)], s)}
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.below().Handle(ctx, clean)
}

// below returns the base with all steps taken.
func (h *handler) below() slog.Handler {
	known := h.ring.known.Load()
	if m := h.made.Load(); m != nil && m.known == known {
		return m.handler
	}
	to := h.base
	for _, s := range h.steps {
		if s.group != "" {
			to = to.WithGroup(h.text(s.group))
		} else {
			to = to.WithAttrs(h.attrs(s.attrs))
		}
	}
	h.made.Store(&made{to, known})
	return to
}

// text returns a text without secrets.
func (h *handler) text(s string) string { return withoutPatterns(h.ring.clean(s)) }

func (h *handler) attrs(as []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(as))
	for i, a := range as {
		clean[i] = h.attr(a)
	}
	return clean
}

func (h *handler) attr(a slog.Attr) slog.Attr {
	if secretName.MatchString(a.Key) {
		return slog.String(h.text(a.Key), Mask)
	}
	return slog.Attr{Key: h.text(a.Key), Value: h.value(a.Value)}
}

func (h *handler) value(v slog.Value) slog.Value {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindGroup:
		return slog.GroupValue(h.attrs(v.Group())...)
	case slog.KindAny:
		return h.any(v)
	}
	shown := v.String() // a number may be a secret too
	if clean := h.text(shown); clean != shown {
		return slog.StringValue(clean)
	}
	return v
}

// any leaves a value as it is if no way to write it shows a secret; otherwise it is text.
func (h *handler) any(v slog.Value) slog.Value {
	ways := renderings(v.Any())
	for _, way := range ways {
		if h.text(way) != way {
			return slog.StringValue(h.text(ways[0]))
		}
	}
	return v
}

// renderings returns how handlers write a value; the first is best for people.
func renderings(v any) []string {
	var ways []string
	add := func(render func() (string, error)) {
		defer func() { _ = recover() }() // a method of v that panics: the handler that calls it says so
		if text, err := render(); err == nil {
			ways = append(ways, text)
		}
	}
	switch v := v.(type) {
	case error:
		add(func() (string, error) { return v.Error(), nil })
		add(func() (string, error) {
			for _, err := range chain(v)[1:] {
				add(func() (string, error) { return err.Error(), nil })
			}
			return "", nil
		})
	case fmt.Stringer:
		add(func() (string, error) { return v.String(), nil })
	case []byte:
		ways = append(ways, string(v))
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		add(func() (string, error) { b, err := m.MarshalText(); return string(b), err })
	}
	add(func() (string, error) { b, err := json.Marshal(v); return string(b), err })
	for _, verb := range []string{"%+v", "%v", "%s", "%#v"} {
		add(func() (string, error) { return fmt.Sprintf(verb, v), nil })
	}
	return ways
}

// chain returns an error and all that it wraps. Handlers may print each.
func chain(err error) []error {
	const most = 100 // an error that wraps itself would have no end
	all := []error{err}
	for i := 0; i < len(all) && len(all) < most; i++ {
		if many, ok := all[i].(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				if e != nil {
					all = append(all, e)
				}
			}
		} else if e := errors.Unwrap(all[i]); e != nil {
			all = append(all, e)
		}
	}
	return all
}
