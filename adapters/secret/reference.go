package secret

import (
	"fmt"
	"regexp"
	"strings"

	"footway/core/fault"
)

// Reference says where a secret is: "env:NAME", a variable of the environment,
// or "file:/path". It is no secret itself. The zero Reference refers to nothing.
type Reference struct{ kind, at string }

// The kinds of references.
const (
	inEnvironment = "env"
	inFile        = "file"
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Parse reads a reference. Anything else is fault.Invalid, with an error that does not
// repeat the text: it may be the secret, written where it must not be.
func Parse(text string) (Reference, error) {
	kind, at, ok := strings.Cut(text, ":")
	var problem string
	switch {
	case text == "":
		problem = "nothing"
	case !ok || kind != inEnvironment && kind != inFile:
		problem = fmt.Sprintf("this is no reference (%d characters, not shown: it may be a secret, and those do not belong here)", len(text))
	case kind == inEnvironment && !variable.MatchString(at):
		problem = "behind env: there is no name of a variable"
	case kind == inFile && (!strings.HasPrefix(at, "/") || strings.HasSuffix(at, "/") || strings.ContainsAny(at, "\x00\n")):
		problem = "behind file: there is no absolute path of a file"
	default:
		return Reference{kind, at}, nil
	}
	return Reference{}, fault.New("secret.Parse", fault.Invalid, "bad_reference", "%s; want env:NAME or file:/path, such as env:FOOTWAY_DB_PASSWORD or file:/run/secrets/db", problem)
}

// String returns the reference as Parse reads it.
func (r Reference) String() string {
	if r.kind == "" {
		return ""
	}
	return r.kind + ":" + r.at
}

// MarshalText writes a reference as Parse reads it.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is Parse; empty text refers to nothing.
func (r *Reference) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Reference{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err == nil {
		*r = parsed
	}
	return err
}
