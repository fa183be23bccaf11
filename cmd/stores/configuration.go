//go:build !js

package stores

import (
	"context"
	"errors"
	"strings"

	"footway/adapters/configfile"
	"footway/adapters/s3"
	"footway/adapters/yamlfile"
	"footway/core/config"
	"footway/core/fault"
)

// OpenConfiguration returns the document that from names: a file, or s3://bucket/key, to be
// reached as o says.
func OpenConfiguration(ctx context.Context, from string, o s3.Options) (config.Document, error) {
	if !strings.HasPrefix(from, "s3:") {
		return configfile.New(from), nil
	}
	var err error
	if o.Bucket, o.Key, err = s3.ParseURL(from); err != nil {
		return nil, err
	}
	return s3.Open(ctx, o)
}

// ParseConfig is the config.ParseFunc for YAML: its errors have line and column.
func ParseConfig(name string, text []byte) (*config.Config, error) {
	doc, err := yamlfile.Parse(name, text)
	if err != nil {
		return nil, err
	}
	c, err := config.Load(doc.Tree())
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Err != nil {
		err = e.Err // the document's place says more than the function's name
	}
	if err != nil {
		return nil, doc.Explain(err)
	}
	return c, nil
}

var _ config.ParseFunc = ParseConfig
