package maps

import (
	"fmt"
	"strings"
)

// How many values each enumeration has.
const (
	classes  = KerbStep + 1
	surfaces = SurfaceSoft + 1
	kerbs    = KerbRaised + 1
	controls = ControlUnmarked + 1
	streets  = StreetTrunk + 1
	allFlags = Inferred | Unlit | InclineKnown | InclineSteep | PrivateAccess
)

var (
	classWords    = []string{"sidewalk", "crossing", "path", "shared", "kerb"}
	surfaceWords  = []string{"unknown", "smooth", "paved", "rough", "loose", "soft"}
	kerbWords     = []string{"none", "unknown", "flush", "lowered", "rolled", "raised"}
	controlWords  = []string{"none", "signal", "zebra", "unmarked"}
	streetWords   = []string{"none", "pedestrian", "living", "service", "residential", "tertiary", "secondary", "primary", "trunk"}
	backdropWords = []string{"road", "building", "park", "water", "rail"}
)

// String returns the class in a word, such as "sidewalk".
func (c Class) String() string { return word(classWords, uint8(c)) }

// MarshalText writes the word of String.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the word of String.
func (c *Class) UnmarshalText(text []byte) error {
	v, err := unword("class", classWords, text)
	*c = Class(v)
	return err
}

// String returns the surface in a word, such as "paved".
func (s Surface) String() string { return word(surfaceWords, uint8(s)) }

// String returns the kerb in a word, such as "lowered".
func (k Kerb) String() string { return word(kerbWords, uint8(k)) }

// HeightMM returns the most that a kerb of this kind rises, in millimetres; 0
// for none and unknown.
func (k Kerb) HeightMM() int32 {
	switch k {
	case KerbFlush:
		return 15
	case KerbLowered:
		return 60
	case KerbRolled:
		return 80
	case KerbRaised:
		return 150
	default:
		return 0
	}
}

// String returns the control in a word, such as "signal".
func (c Control) String() string { return word(controlWords, uint8(c)) }

// String returns the rank in a word, such as "residential".
func (s Street) String() string { return word(streetWords, uint8(s)) }

// MarshalText writes the word of String.
func (s Street) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *Street) UnmarshalText(text []byte) error {
	v, err := unword("street", streetWords, text)
	*s = Street(v)
	return err
}

// String returns the kind in a word, such as "park".
func (k BackdropKind) String() string { return word(backdropWords, uint8(k)) }

func word(words []string, v uint8) string {
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("%d?", v)
}

func unword(what string, words []string, text []byte) (uint8, error) {
	for i, w := range words {
		if w == string(text) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("%s %q: want one of %s", what, text, strings.Join(words, ", "))
}
