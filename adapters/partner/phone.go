package partner

import "strings"

// Digits of an E.164 number with its country code. The standard names only the
// upper bound; no country's numbers are shorter than the lower one.
const (
	minPhone = 8
	maxPhone = 15
)

// All of Drive's locales are in North America, which has one country code, and
// numbers of one length behind it.
const (
	homeCode   = "1"
	homeDigits = 10
)

// tidyPhone brings a phone number into the form of E.164, such as +12065550123,
// from what people write: spaces, dots, dashes, brackets, 00 for +, and a
// North American number without its country code. It reports whether it could.
// Real traffic has numbers with a digit too many; they pass, since only the
// carrier knows which numbers exist.
func tidyPhone(s string) (string, bool) {
	s = strings.TrimSpace(s)
	international := strings.HasPrefix(s, "+")
	var digits []byte
	for _, r := range strings.TrimPrefix(s, "+") {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case strings.ContainsRune(" -.()/\u00a0\u2010\u2011\u2013", r):
		default:
			return "", false
		}
	}
	number := string(digits)
	if rest, ok := strings.CutPrefix(number, "00"); ok && !international {
		number, international = rest, true
	}
	if !international && len(number) == homeDigits {
		number, international = homeCode+number, true
	}
	if !international && (len(number) != len(homeCode)+homeDigits || !strings.HasPrefix(number, homeCode)) {
		return "", false
	}
	if len(number) < minPhone || len(number) > maxPhone || number[0] == '0' {
		return "", false
	}
	return "+" + number, true
}
