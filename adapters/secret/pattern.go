package secret

import "regexp"

// Secrets that nobody told of are found by where they stand. These patterns rather
// take too much than too little: up to the next space, or to the last @.

// names are how secrets are called, also as a part of a longer name such as PGPASSWORD.
const names = `[\w.-]*(?:pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|private[_-]?key|secret[_-]?(?:access[_-]?)?key` +
	`|(?:access|refresh|session|security|id|auth)[_-]?token|x-amz-signature|authorization)`

var (
	// secretName is the whole name of a secret.
	secretName = regexp.MustCompile(`(?i)^` + names + `$`)

	patterns = []struct {
		at   *regexp.Regexp
		with string
	}{
		// scheme://user:password@host, also within JSON that writes \/ for /
		{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*:(?:\\?/){2}[^\s/?#:@]*:)\S*@`), "${1}" + Mask + "@"},
		// https://token@host
		{regexp.MustCompile(`((?i:https?):(?:\\?/){2})[^\s/?#:@]+@`), "${1}" + Mask + "@"},
		// Authorization: Basic dXNlcjpwYXNz
		{regexp.MustCompile(`(?i)(authorization\\?["']?\s*[:=]\s*\\?["']?(?:basic|bearer)\s+)\S+`), "${1}" + Mask},
		{regexp.MustCompile(`(?i)(\bbearer\s+)[\w.~+/=-]{16,}`), "${1}" + Mask},
		// password=words, password='two words', "password": "words", Password:words
		{regexp.MustCompile(`(?i)(` + names + `(?:\s*=\s*|:|\\?["']\s*[=:]\s*))(?:\\+"[^"]*"?|'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[^\s"']\S*)`), "${1}" + Mask},
	}
)

// withoutPatterns returns text without what stands where secrets stand.
func withoutPatterns(text string) string {
	for _, p := range patterns {
		text = p.at.ReplaceAllString(text, p.with)
	}
	return text
}
