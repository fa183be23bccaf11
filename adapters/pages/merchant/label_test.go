package merchant

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"footway/core/account"
)

var rewrite = flag.Bool("rewrite", false, "write the labels anew")

func someLabel() *label {
	return &label{
		Number: "1042", Robot: "r7", Shop: "Gull Bakery & Söhne", From: "1 Quay", Customer: "Robin V.", To: "12 Quay ^XZ~JR_41", Note: "Bell is broken", Items: []string{"2 × Rye loaf", "1 × Crème ^FS"},
		Ready: "3:04\u00a0PM", Door: "3:20 – 3:28\u00a0PM", Code: "footway:01a2",
	}
}

// TestZPL compares a label for a printer with the one that a person has looked at.
func TestZPL(t *testing.T) {
	got, path := someLabel().zpl(), filepath.Join("testdata", "label.zpl")
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the label is\n%s\nwant\n%s", got, want)
	}
	if n := strings.Count(got, "^XZ"); n != 1 || strings.Contains(got, "~JR") || strings.Count(got, "^XA") != 1 {
		t.Errorf("text of a customer is a command of the printer, or the label does not end once (%d)", n)
	}
}

// TestPDF reads a label as a printer would: where its objects are, how many pages it has and of what size.
func TestPDF(t *testing.T) {
	long := someLabel()
	long.Number, long.Note, long.To = strings.Repeat("9", 24), strings.Repeat("ü", 300), strings.Repeat("Long street ", 12)
	for range 40 {
		long.Items = append(long.Items, "1 × Something with a long name that takes two lines of the label")
	}
	for name, l := range map[string]*label{"usual": someLabel(), "long": long, "empty": {Code: "footway:"}} {
		body, err := l.pdf(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.HasPrefix(body, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(body), []byte("%%EOF")) {
			t.Fatalf("%s: no PDF: %.20q", name, body)
		}
		start := regexp.MustCompile(`startxref\s+(\d+)`).FindSubmatch(body)
		at, err := strconv.Atoi(string(start[1]))
		if err != nil || !bytes.HasPrefix(body[at:], []byte("xref\n")) {
			t.Fatalf("%s: the table of objects is not at %s", name, start[1])
		}
		objects := regexp.MustCompile(`(?m)^(\d{10}) 00000 n`).FindAllSubmatch(body[at:], -1)
		for i, o := range objects {
			from, _ := strconv.Atoi(string(o[1])) // ten digits
			if head := strconv.Itoa(i+1) + " 0 obj"; !bytes.HasPrefix(body[from:], []byte(head)) {
				t.Errorf("%s: object %d is not at %d", name, i+1, from)
			}
		}
		if n := len(regexp.MustCompile(`/Type /Page\b`).FindAll(body, -1)); n != 1 || len(objects) < 5 {
			t.Errorf("%s: %d pages of %d objects, want one page", name, n, len(objects))
		}
		box := regexp.MustCompile(`/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]`).FindSubmatch(body)
		if len(box) != 3 || string(box[1]) != "288.00" || string(box[2]) != "432.00" {
			t.Errorf("%s: the page is %q points, want 288 by 432: 4 by 6 in", name, box)
		}
	}
}

// TestLabel looks at who may see what is on it.
func TestLabel(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	one := string(d.order("quay", "31").ID)
	a := b.get("/orders/" + one + "/label.zpl")
	d.wants("ZPL", a, http.StatusOK, "^XA", "31", "Zelda Q.", "12 Quay", "2 × Rye loaf", "footway:"+one, "!Quux", "!+12065550142")
	if h := a.Header(); !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("its headers are %v", h)
	}
	a = b.get("/orders/" + one + "/label.pdf")
	d.wants("PDF", a, http.StatusOK, "%PDF")
	if h := a.Header(); h.Get("Content-Type") != "application/pdf" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("its headers are %v", h)
	}
}

func FuzzLabel(f *testing.F) {
	f.Add("1042", "Zoë ^XZ", "a\nb", "_5E")
	f.Fuzz(func(t *testing.T, number, to, note, item string) {
		l := &label{Number: number, To: to, Note: note, Items: []string{item}, Code: "footway:x"}
		zpl := l.zpl()
		if strings.Count(zpl, "^XZ") != 1 || strings.Count(zpl, "~") != 0 || !strings.HasSuffix(zpl, "^XZ\n") {
			t.Errorf("text is a command: %q", zpl)
		}
		if !utf8.ValidString(number + to + note + item) {
			return
		}
		if _, err := l.pdf(time.Unix(0, 0)); err != nil {
			t.Error(err)
		}
	})
}
