package config

import "context"

// MaxBytes is the most that the text of a configuration may have.
const MaxBytes = 1 << 20

// Document is one place where the text of a configuration is kept: a file, an
// object in a bucket. It is safe for concurrent use.
type Document interface {
	// Name says for errors and logs which document this is, such as
	// "s3://bucket/key". It holds no secret.
	Name() string
	// Fetch returns the text and its tag, which is never empty; other text has
	// another tag. tag is that of the text that the caller has, or empty: if the
	// document still has this text, Fetch returns no text and the same tag. A tag that
	// it does not know is like none.
	//
	// Errors are fault.NotFound where there is no document, fault.Forbidden where this
	// process may not read it, fault.Invalid where what is there can be no configuration
	// (more than MaxBytes, a folder) or the place itself is named wrongly, and
	// fault.Exhausted or fault.Unavailable where trying again later may help; with
	// an error there is neither text nor tag. Fetch does not retry beyond ctx, does not block
	// past its end, and the caller owns the text.
	Fetch(ctx context.Context, tag string) (text []byte, newTag string, err error)
}

// Keeper is a document close by that this process may write: it keeps the last
// good version, for a start while the document that is followed is away.
type Keeper interface {
	Document
	// Keep replaces the whole text. After an error the document has the old
	// text or the new one, never a part. A fault.Unavailable error leaves open which.
	Keep(ctx context.Context, text []byte) error
}

// ParseFunc reads the text of a configuration in some format. The name of the document is
// for errors, which say where in it something is wrong, everything at once.
type ParseFunc func(name string, text []byte) (*Config, error)
