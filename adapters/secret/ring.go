package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Ring knows the secrets that must not be written. The zero Ring knows none. It
// is safe for concurrent use.
type Ring struct {
	mu    sync.Mutex
	forms []string // of all secrets, the longest first
	known atomic.Pointer[knowledge]
}

// knowledge is what a ring knows at some time.
type knowledge struct{ replace *strings.Replacer }

// mostForms bounds what is remembered of secrets that change again and again: a
// thousand or so. The last ones stay.
const mostForms = 10_000

// Add makes a secret known. Those of fewer than four bytes are left alone: they are parts
// of ordinary words. Old ones stay known when new ones come: a late error may still hold them.
func (r *Ring) Add(v Value) {
	text := v.Reveal()
	if len(text) < minBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := false
	for _, form := range forms(text) {
		if !slices.Contains(r.forms, form) {
			r.forms, fresh = append(r.forms, form), true
		}
	}
	if !fresh {
		return
	}
	r.forms = r.forms[max(0, len(r.forms)-mostForms):]
	byLength := slices.SortedFunc(slices.Values(r.forms), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(byLength))
	for _, form := range byLength { // of two that begin at one place, the replacer takes the one that is named first
		pairs = append(pairs, form, Mask)
	}
	r.known.Store(&knowledge{strings.NewReplacer(pairs...)})
}

// forms returns a secret in the ways in which it is likely to be written.
func forms(text string) []string {
	inJSON, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("secret: text is not JSON: %v", err))
	}
	quoted := strconv.Quote(text)
	all := []string{
		text, url.QueryEscape(text), url.PathEscape(text), strings.TrimPrefix(url.UserPassword("", text).String(), ":"),
		quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text)),
		hex.EncodeToString([]byte(text)), strings.Trim(fmt.Sprint([]byte(text)), "[]"),
	}
	const whole = 12 // shorter lines of a key say nothing of it
	if lines := strings.Split(text, "\n"); len(lines) > 1 {
		for _, line := range lines {
			if line = strings.TrimSpace(line); len(line) >= whole {
				all = append(all, line)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return len(s) < minBytes })
}

// clean returns text without the secrets that are known.
func (r *Ring) clean(text string) string {
	if k := r.known.Load(); k != nil {
		return k.replace.Replace(text)
	}
	return text
}
