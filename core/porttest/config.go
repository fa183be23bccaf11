package porttest

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
	"footway/core/market"
)

// ConfigSource tests that what open returns keeps the contract of
// config.Source. Each call of open returns a source of c, and put, which gives it
// another configuration and returns when the source has seen it.
func ConfigSource(t *testing.T, open func(t *testing.T, c *config.Config) (s config.Source, put func(*config.Config))) {
	t.Helper()
	ours := config.DefaultSettings()
	ours.Dispatch.RoundEvery = 30 * clock.Second
	first, err := config.New().With("ours", ours)
	if err != nil {
		t.Fatal(err)
	}
	theirs := ours
	theirs.Dispatch.RoundEvery = 40 * clock.Second
	second, err := first.With("", theirs)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(t *testing.T, s config.Source, m market.ID, want config.Settings, version uint64) {
		t.Helper()
		if got, v := s.Get(m); got != want || v != version {
			t.Errorf("Get(%q) = round_every %v of version %d, want %v of %d", m, got.Dispatch.RoundEvery, v, want.Dispatch.RoundEvery, version)
		}
	}
	t.Run("a market's own settings", func(t *testing.T) {
		s, _ := open(t, first)
		expect(t, s, "ours", ours, 1)
	})
	t.Run("defaults for a market that nobody configured", func(t *testing.T) {
		s, _ := open(t, first)
		expect(t, s, "other", config.DefaultSettings(), 1)
	})
	t.Run("a new version", func(t *testing.T) {
		s, put := open(t, first)
		put(second)
		expect(t, s, "ours", ours, 2)
		expect(t, s, "other", theirs, 2)
	})
	t.Run("versions never go back", func(t *testing.T) {
		s, put := open(t, second)
		put(first)
		expect(t, s, "other", theirs, 2)
	})
	t.Run("the caller owns what it got", func(t *testing.T) {
		s, _ := open(t, first)
		got, _ := s.Get("ours")
		got.Dispatch.RoundEvery = clock.Hour
		expect(t, s, "ours", ours, 1)
	})
}

// ConfigPlace is a place for one document that nobody has written yet.
type ConfigPlace struct {
	Document config.Document
	Put      func(text []byte) // writes or replaces the document, and returns when it is there
	Remove   func()
}

// ConfigDocument tests that what open returns keeps the contract of
// config.Document. Each call of open returns another place.
func ConfigDocument(t *testing.T, open func(t *testing.T) ConfigPlace) {
	t.Helper()
	first, second := []byte("version: 1\r\n# Zürich\n"), []byte("version: 2\ndefaults: {}")
	t.Run("it has a name", func(t *testing.T) {
		a, b := open(t).Document.Name(), open(t).Document.Name()
		if a == "" || a == b {
			t.Errorf("two documents are called %q and %q, want names that tell them apart", a, b)
		}
	})
	t.Run("the text, byte by byte, and a tag", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		fetch(t, p, "", first)
		p.Put(append([]byte{0xff, 0xfe, 0}, first...))
		fetch(t, p, "", append([]byte{0xff, 0xfe, 0}, first...)) // whether it is text is for the parser to say
	})
	t.Run("nothing for one who has it", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		tag := fetch(t, p, "", first)
		for range 2 {
			if again := fetch(t, p, tag, nil); again != tag {
				t.Errorf("the tag of the same text went from %q to %q", tag, again)
			}
		}
	})
	t.Run("another text has another tag", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		tag1 := fetch(t, p, "", first)
		p.Put(second)
		tag2 := fetch(t, p, tag1, second)
		if tag1 == tag2 {
			t.Errorf("two texts have the tag %q", tag1)
		}
		fetch(t, p, tag2, nil)
		p.Put(first)
		fetch(t, p, tag2, first)
		p.Put(append(bytes.Clone(first), ' ')) // of almost the same text too
		if tag := fetch(t, p, tag1, append(bytes.Clone(first), ' ')); tag == tag1 {
			t.Errorf("two texts have the tag %q", tag)
		}
	})
	t.Run("a tag that it does not know is like none", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		for _, tag := range []string{"of another place", `"0123456789abcdef0123456789abcdef"`, "*", "a\r\nHeader: b", strings.Repeat("x", 2000)} {
			fetch(t, p, tag, first)
		}
	})
	t.Run("the caller owns the text", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		text, _, err := p.Document.Fetch(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		clear(text)
		fetch(t, p, "", first)
	})
	t.Run("many at once", func(t *testing.T) { fetchTogether(t, open(t), first, second) })
	configDocumentErrors(t, open, first)
}

// configDocumentErrors has the cases in which there is no text, or almost none.
func configDocumentErrors(t *testing.T, open func(t *testing.T) ConfigPlace, first []byte) {
	t.Run("there is no document", func(t *testing.T) {
		p := open(t)
		fetchError(t.Context(), t, p, "", fault.NotFound)
		p.Put(first)
		tag := fetch(t, p, "", first)
		p.Remove()
		fetchError(t.Context(), t, p, tag, fault.NotFound)
		p.Put(first)
		fetch(t, p, "", first)
	})
	t.Run("an empty document is one", func(t *testing.T) {
		p := open(t)
		p.Put(nil)
		tag := fetch(t, p, "", []byte{})
		p.Put(first)
		fetch(t, p, tag, first)
	})
	t.Run("not more than MaxBytes", func(t *testing.T) {
		p := open(t)
		most := bytes.Repeat([]byte("#"), config.MaxBytes)
		p.Put(most)
		fetch(t, p, "", most)
		p.Put(append(most, '\n'))
		fetchError(t.Context(), t, p, "", fault.Invalid)
	})
	t.Run("not past the end of the context", func(t *testing.T) {
		p := open(t)
		p.Put(first)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		fetchError(ctx, t, p, "", fault.Unavailable)
	})
}

// fetchTogether has some read while one writes: each gets one text or the other.
func fetchTogether(t *testing.T, p ConfigPlace, first, second []byte) {
	p.Put(first)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			tag := ""
			for range 10 {
				text, next, err := p.Document.Fetch(t.Context(), tag)
				whole := bytes.Equal(text, first) || bytes.Equal(text, second) || text == nil && next == tag
				if err != nil || !whole {
					t.Errorf("Fetch(%q) = %q, %q, %v while others read and write", tag, text, next, err)
				}
				tag = next
			}
		})
	}
	for i := range 10 {
		p.Put([][]byte{second, first}[i%2])
	}
	readers.Wait()
}

// fetch wants the text; nil for none.
func fetch(t *testing.T, p ConfigPlace, tag string, want []byte) (newTag string) {
	t.Helper()
	text, newTag, err := p.Document.Fetch(t.Context(), tag)
	if err != nil || newTag == "" {
		t.Fatalf("Fetch(%.80q) = %.80q, tag %q, %v; want %.80q and a tag", tag, text, newTag, err, want)
	}
	if !bytes.Equal(text, want) || len(text) > 0 != (len(want) > 0) {
		t.Errorf("Fetch(%.80q) = %d bytes %.80q, want %d bytes %.80q", tag, len(text), text, len(want), want)
	}
	return newTag
}

func fetchError(ctx context.Context, t *testing.T, p ConfigPlace, tag string, kind fault.Kind) {
	t.Helper()
	text, newTag, err := p.Document.Fetch(ctx, tag)
	wantKind(t, "Fetch", err, kind)
	if text != nil || newTag != "" {
		t.Errorf("Fetch = %.80q, %q with the error %v; want neither text nor tag", text, newTag, err)
	}
	if err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), p.Document.Name()) {
		t.Errorf("the error %q does not name the document %s", err, p.Document.Name())
	}
}

// ConfigKeeper tests that what open returns keeps the contract of
// config.Keeper. Each call of open returns one that is still empty.
func ConfigKeeper(t *testing.T, open func(t *testing.T) config.Keeper) {
	t.Helper()
	t.Run("it has what it was given", func(t *testing.T) {
		k := open(t)
		p := ConfigPlace{Document: k}
		fetchError(t.Context(), t, p, "", fault.NotFound)
		for _, text := range []string{"version: 1", strings.Repeat("#", config.MaxBytes), "version: 3\n"} {
			given := []byte(text)
			if err := k.Keep(t.Context(), given); err != nil {
				t.Fatal(err)
			}
			clear(given)
			fetch(t, p, "", []byte(text))
		}
	})
	t.Run("never a part", func(t *testing.T) {
		k := open(t)
		texts := [2]string{strings.Repeat("a", 100_000), strings.Repeat("b", 200_000)}
		if err := k.Keep(t.Context(), []byte(texts[0])); err != nil {
			t.Fatal(err)
		}
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range 20 {
				if err := k.Keep(t.Context(), []byte(texts[i%2])); err != nil {
					t.Error(err)
				}
			}
		})
		for range 20 {
			if text, _, err := k.Fetch(t.Context(), ""); err != nil || string(text) != texts[0] && string(text) != texts[1] {
				t.Errorf("Fetch = %d bytes, %v while others write; want the old text or the new one", len(text), err)
			}
		}
		writer.Wait()
	})
}
