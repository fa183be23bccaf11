package recording

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wholeDay returns a day of partner traffic that lies beside the project.
func wholeDay(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "partner", name))
	if err != nil {
		t.Skipf("not tried on a whole day: %v", err)
	}
	return text
}

func days() map[string]int {
	return map[string]int{"seattle-wedgwood-day.jsonl": 984, "baltimore-day.jsonl": 3779}
}

// TestWholeDays reads, writes and reads again whole days of traffic.
func TestWholeDays(t *testing.T) {
	for name, requests := range days() {
		t.Run(name, func(t *testing.T) {
			got, err := Read(bytes.NewReader(wholeDay(t, name)))
			if err != nil || len(got) != requests {
				t.Fatalf("%d requests, error %v; want %d", len(got), err, requests)
			}
			var file bytes.Buffer
			w := NewWriter(&file)
			for i := range got {
				if err := w.Write(got[i]); err != nil {
					t.Fatal(err)
				}
			}
			once := bytes.Clone(file.Bytes())
			again, err := Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			w = NewWriter(&file)
			for i := range again {
				if err := w.Write(again[i]); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(once, file.Bytes()) {
				t.Error("written a second time it is another file")
			}
			report, err := Inspect(NewReader(bytes.NewReader(wholeDay(t, name))))
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, h := range report.Hours {
				sum += h.Deliveries
			}
			if report.Requests != requests || sum != report.Deliveries || report.Repeats == 0 || report.Malformed == 0 || len(report.UnknownStores) != 0 {
				t.Errorf("Inspect: %+v", report)
			}
		})
	}
}

// personal is what must not come through: of each kind, the words in a day.
type personal map[string]map[string]bool

func (p personal) add(kind, word string) {
	if strings.TrimSpace(word) == "" {
		return
	}
	if p[kind] == nil {
		p[kind] = map[string]bool{}
	}
	p[kind][word] = true
}

// gather takes in the words of a body, cut off or not.
func (p personal) gather(body []byte) {
	fields := regexp.MustCompile(`"[a-z_]*?(given_name|family_name|phone_number|address|instructions|business_name)"\s*:\s*"((?:[^"\\]|\\.)+)"`)
	for _, m := range fields.FindAllSubmatch(body, -1) {
		p.add(string(m[1]), unquoted(string(m[2])))
	}
	positions := regexp.MustCompile(`"(?:lat|lng)"\s*:\s*(-?[0-9]+\.[0-9]{4,})`)
	for _, m := range positions.FindAllSubmatch(body, -1) {
		p.add("position", string(m[1]))
	}
}

// TestScrubWholeDays scrubs whole days of traffic: nobody comes through, and all else stays.
func TestScrubWholeDays(t *testing.T) {
	for name := range days() {
		t.Run(name, func(t *testing.T) {
			text := wholeDay(t, name)
			before, err := Read(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			var out, second bytes.Buffer
			for _, w := range []*bytes.Buffer{&out, &second} {
				if _, err := Scrub(NewWriter(w), NewReader(bytes.NewReader(text)), 11, ScrubOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(out.Bytes(), second.Bytes()) {
				t.Error("the same seed gave another file")
			}
			after, err := Read(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if len(after) != len(before) {
				t.Fatalf("%d requests became %d", len(before), len(after))
			}
			compareDays(t, before, after)
			checkGone(t, before, out.String())
			a, err := Inspect(NewReader(bytes.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			b, err := Inspect(NewReader(&out))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("Inspect finds something else (-before +after)\n%s", diff)
			}
		})
	}
}

// compareDays compares requests with what they became: the same one to the same, everywhere.
func compareDays(t *testing.T, before, after []Request) {
	t.Helper()
	became := map[[2]string]string{}
	for i := range before {
		b, a := before[i], after[i]
		if b.At != a.At || b.Method != a.Method || b.Path != a.Path {
			t.Errorf("line %d: %v %s %s became %v %s %s", b.Line, b.At, b.Method, b.Path, a.At, a.Method, a.Path)
		}
		if json.Valid(b.Body) != json.Valid(a.Body) {
			t.Errorf("line %d: %s became %s", b.Line, b.Body, a.Body)
		}
		keys := []string{"dropoff_phone_number", "dropoff_contact_given_name", "dropoff_contact_family_name", "dropoff_address", "dropoff_instructions"}
		is := a.texts(keys...)
		for k, was := range b.texts(keys...) {
			if was == "" {
				continue
			}
			if first, ok := became[[2]string{keys[k], was}]; ok && first != is[k] {
				t.Errorf("line %d: %s %q became %q, and before %q", b.Line, keys[k], was, is[k], first)
			}
			became[[2]string{keys[k], was}] = is[k]
		}
		if json.Valid(a.Body) {
			again := newScrubber(11, ScrubOptions{}).body(a.Body)
			if x, y := shape(t, a.Body), shape(t, again); x != y {
				t.Errorf("line %d: scrubbed once it has the shape %s, twice %s", b.Line, x, y)
			}
		}
	}
}

// checkGone looks for the words of people and merchants in what was scrubbed. Names that
// replace others, and areas of phone numbers, may be those of somebody else.
func checkGone(t *testing.T, before []Request, after string) {
	t.Helper()
	words := personal{}
	for i := range before {
		words.gather(before[i].Body)
		if operation(before[i].Method, before[i].Path) == opCreateStore {
			words.add("business_name", before[i].texts("name")[0])
		}
	}
	for _, kind := range []string{"given_name", "family_name", "phone_number", "address", "instructions", "business_name", "position"} {
		if len(words[kind]) == 0 {
			t.Errorf("the day has no %s: what is it good for?", kind)
		}
	}
	text := strings.ReplaceAll(after, `\"`, `"`) // bodies that are no JSON stand in quotes
	fresh := slices.Concat(givenNames(), familyNames(), instructions())
	for kind, set := range words {
		for _, word := range slices.Sorted(maps.Keys(set)) {
			if len(word) < 8 {
				word = `"` + word + `"` // not within another word
			}
			if strings.Contains(text, word) && !slices.Contains(fresh, strings.Trim(word, `"`)) {
				t.Errorf("%s %q came through", kind, word)
			}
		}
	}
}
