package maps

import (
	"strings"
	"unicode"
)

// words splits s into lower-case words of letters and digits, without accents.
// Apostrophes and full stops join what they stand in: "O'Neil's" is one word.
func words(s string) []string {
	var out []string
	var w strings.Builder
	flush := func() {
		if w.Len() > 0 {
			out = append(out, w.String())
			w.Reset()
		}
	}
	for _, r := range s {
		r = unicode.ToLower(r)
		switch {
		case r == '\'' || r == '’' || r == '.' || unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			w.WriteString(plainLetter(r))
		default:
			flush()
		}
	}
	flush()
	return out
}

// plainLetter returns r without its accent, where it is a Latin letter with one.
func plainLetter(r rune) string {
	if r < 0x80 {
		return string(r)
	}
	for _, row := range accents {
		if strings.ContainsRune(row.letters, r) {
			return row.plain
		}
	}
	return string(r)
}

var accents = []struct{ plain, letters string }{
	{"a", "àáâãäåāăą"}, {"ae", "æ"}, {"c", "çćč"}, {"d", "ďđð"}, {"e", "èéêëēėęě"}, {"g", "ğ"},
	{"i", "ìíîïīįı"}, {"l", "łľĺ"}, {"n", "ñńňņ"}, {"o", "òóôõöøōő"}, {"oe", "œ"}, {"r", "řŕ"},
	{"s", "śšşș"}, {"ss", "ß"}, {"t", "ťţț"}, {"u", "ùúûüūůűų"}, {"y", "ýÿ"}, {"z", "źżž"},
}

// shortForms gives the words that people shorten their common short form, so
// that both spellings of a street meet. "Saint" and "Street" share theirs, as they do on envelopes.
var shortForms = map[string]string{
	"north": "n", "south": "s", "east": "e", "west": "w",
	"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
	"street": "st", "str": "st", "saint": "st", "avenue": "ave", "av": "ave", "boulevard": "blvd",
	"road": "rd", "drive": "dr", "lane": "ln", "place": "pl", "court": "ct", "circle": "cir",
	"highway": "hwy", "parkway": "pkwy", "terrace": "ter", "square": "sq", "alley": "aly",
	"mount": "mt", "fort": "ft", "trail": "trl", "crescent": "cres", "expressway": "expy",
	"turnpike": "tpke", "point": "pt", "heights": "hts", "bridge": "brg", "plaza": "plz", "gardens": "gdns",
	"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
	"seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}

// shorten replaces each word by its short form where it has one.
func shorten(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w
		if s, ok := shortForms[w]; ok {
			out[i] = s
		}
	}
	return out
}

// streetKey is the form in which streets are compared.
func streetKey(street string) string { return strings.Join(shorten(words(street)), " ") }

// houseNumber is a number such as 8210, 12a or 10-14, by its first figure.
type houseNumber struct {
	value  int32 // -1 if there is none
	suffix string
}

// maxHouseNumber bounds what counts as a house number; postcodes and telephone numbers have more figures.
const maxHouseNumber = 99_999

// parseNumber reads a house number of one word, such as "8210" or "12a". An
// ordinal such as "35th" is none.
func parseNumber(w string) (houseNumber, bool) {
	n, i := int32(0), 0
	for i < len(w) && w[i] >= '0' && w[i] <= '9' {
		if n = n*10 + int32(w[i]-'0'); n > maxHouseNumber {
			return houseNumber{value: -1}, false
		}
		i++
	}
	if suffix := w[i:]; i > 0 && len(suffix) <= 1 && (suffix == "" || suffix[0] >= 'a' && suffix[0] <= 'z') {
		return houseNumber{n, suffix}, true
	}
	return houseNumber{value: -1}, false
}

// numberOf returns the house number of an address on the map.
func numberOf(number string) houseNumber {
	ws := words(number)
	if len(ws) == 0 {
		return houseNumber{value: -1}
	}
	n, _ := parseNumber(ws[0])
	if n.suffix == "" && len(ws) > 1 && len(ws[1]) == 1 && ws[1][0] >= 'a' {
		n.suffix = ws[1]
	}
	return n
}
