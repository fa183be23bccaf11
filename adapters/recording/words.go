package recording

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// scrubber replaces words by others.
type scrubber struct {
	key []byte
	ScrubOptions
	phones, emails, fields, pairs, structure *regexp.Regexp
}

func newScrubber(seed uint64, o ScrubOptions) *scrubber {
	return &scrubber{
		key: binary.BigEndian.AppendUint64([]byte("footway recording scrub "), seed), ScrubOptions: o,
		phones: regexp.MustCompile(`\+?\(?[0-9][0-9 ().\-]{7,}[0-9]`),
		emails: regexp.MustCompile(`[^\s@"'<>:,;()]+@[^\s@"'<>:,;()]+`),
		fields: regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\-]{0,63}$`),
		// In what is no JSON: fields with words, and punctuation and fields with numbers and literals.
		pairs:     regexp.MustCompile(`"([A-Za-z_][A-Za-z0-9_]*)"(\s*:\s*)"((?:[^"\\]|\\.)*)("|\\?$)`),
		structure: regexp.MustCompile(`"([A-Za-z_][A-Za-z0-9_]*)"(\s*:\s*)(?:(-?[0-9][0-9.eE+\-]*)|true|false|null)?|[{}\[\]:,\s]`),
	}
}

// mac returns the keyed hash of a word of a kind.
func (s *scrubber) mac(kind, word string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(kind))
	m.Write([]byte{0})
	m.Write([]byte(word))
	return m.Sum(nil)
}

// draw returns a number below n for a word of a kind.
func (s *scrubber) draw(kind, word string, n int) int {
	return int(binary.BigEndian.Uint64(s.mac(kind, word)) % uint64(n))
}

func (s *scrubber) pick(kind, word string, from []string) string {
	return from[s.draw(kind, word, len(from))]
}

// fold makes words that differ in case and space only the same.
func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

func givenNames() []string {
	return strings.Fields("Ada Alan Anna Boris Carla Chen Dina Edgar Elif Emil Fatima Felix Gita Hugo Ines Ivan Jana Jonas Kemal Lara Leo Maja Malik Mira Nadia Noor Oleg Olga Pablo Petra Ravi Rita Samir Sofia Tara Timo Vera Yusuf Zora Zeno")
}

func familyNames() []string {
	return strings.Fields("Adler Bauer Brandt Cohen Costa Dahl Diaz Ekberg Farkas Fischer Garcia Haas Horvat Ivanov Jansen Kaya Keller Kowalski Larsen Lindt Marek Moreau Nagy Novak Okafor Olsen Petrov Popov Rahman Ricci Sato Silva Singer Tanaka Torres Weber Winter Yilmaz Zhang Zeman")
}

func instructions() []string {
	return []string{"Please ring the bell", "Call on arrival", "At the side entrance", "I will come to the kerb", "Second door on the left", "Meet me at the corner"}
}

func streets() []string {
	return []string{"Alder Street", "Birch Avenue", "Cedar Street", "Dogwood Lane", "Elder Way", "Hazel Street", "Juniper Road", "Larch Avenue", "Maple Street", "Rowan Way", "Spruce Street", "Willow Lane"}
}

// name replaces a part of a person's name. What is no name, such as markup, stays
// no name, so that the scrubbed request is refused like the original.
func (s *scrubber) name(kind, word string, from []string) string {
	if word == "" {
		return ""
	}
	odd := ""
	for _, r := range word {
		if strings.ContainsRune("~@#$%^&*+=?;[]{}<>|\\", r) && !strings.ContainsRune(odd, r) {
			odd += string(r)
		}
	}
	return odd + s.pick(kind, fold(word), from)
}

// merchant replaces the name of a merchant.
func (s *scrubber) merchant(word string) string {
	if word == "" {
		return ""
	}
	return "Merchant " + hex.EncodeToString(s.mac("merchant", fold(word))[:3])
}

const (
	homeDigits       = 10 // of a North American number without its country code
	maxCountryDigits = 3
)

// phone replaces the digits of a phone number by those of a number that is
// reserved for fiction (555-01xx), and keeps how it is written, even if it is written wrong.
func (s *scrubber) phone(word string) string {
	var digits []byte
	for i := range len(word) {
		if word[i] >= '0' && word[i] <= '9' {
			digits = append(digits, word[i])
		}
	}
	if len(digits) == 0 {
		return strings.Repeat("x", min(len(word), 1)) // whatever it was, it was no number
	}
	last := digits[max(0, len(digits)-homeDigits):]
	n := s.draw("phone", string(last), 79*100)
	fresh := strconv.Itoa(200+n/100*10+n%7+1) + "55501" + strconv.Itoa(100 + n%100)[1:]
	country := string(digits[:len(digits)-len(last)])
	if len(country) > maxCountryDigits { // it is none, but perhaps another number
		country = s.digits("phone", country)
	}
	fresh = country + fresh[homeDigits-len(last):]
	out, next := []byte(nil), 0
	for i := range len(word) {
		switch b := word[i]; {
		case b >= '0' && b <= '9':
			out = append(out, fresh[next])
			next++
		case strings.IndexByte("+-().  ", b) >= 0:
			out = append(out, b)
		default:
			out = append(out, 'x')
		}
	}
	return string(out)
}

func (s *scrubber) email(word string) string {
	return "user-" + hex.EncodeToString(s.mac("email", fold(word))[:4]) + "@example.com"
}

// pin replaces a four-digit PIN; anything else stays as wrong as it was.
func (s *scrubber) pin(word string) string {
	fresh := strconv.Itoa(10_000 + s.draw("pin", word, 10_000))[1:]
	if len(word) < len(fresh) {
		return fresh[:len(word)]
	}
	return fresh + strings.Repeat("0", len(word)-len(fresh))
}

// digits replaces the digits of a number. Zeros stay, so that it stays a number.
func (s *scrubber) digits(kind, word string) string {
	mac, out := s.mac(kind, word), []byte(word)
	for i, b := range out {
		if b >= '1' && b <= '9' {
			out[i] = '1' + mac[i%len(mac)]%9
		}
	}
	return string(out)
}

// id keeps a word for machines, unless somebody's e-mail is used as one.
func (s *scrubber) id(word string) string { return s.emails.ReplaceAllStringFunc(word, s.email) }

// note replaces free text by free text.
func (s *scrubber) note(word string) string {
	if strings.TrimSpace(word) == "" {
		return word
	}
	return s.pick("note", word, instructions())
}

// place replaces an address by one of its neighbours, or by one that does not exist in the
// same town: what stands behind the first comma is kept then.
func (s *scrubber) place(address string) Place {
	address = oneLine(address)
	if strings.TrimSpace(address) == "" {
		return Place{Address: address}
	}
	if s.Addresses != nil {
		if near := s.Addresses.Neighbours(address); len(near) > 0 {
			return near[s.draw("address", fold(address), len(near))]
		}
	}
	_, town, _ := strings.Cut(address, ",")
	if town = strings.Join(strings.Fields(town), " "); town != "" {
		town = ", " + town
	}
	return Place{Address: strconv.Itoa(1+s.draw("house", fold(address), 9000)) + " " + s.pick("street", fold(address), streets()) + town}
}
