// Package s3 keeps the configuration in an object of a bucket: in S3 of AWS, or
// in another store that speaks its protocol. It only reads.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"footway/core/config"
	"footway/core/fault"
)

// Document is an object in a bucket.
type Document struct {
	client  *s3.Client
	options Options
	region  string
}

var _ config.Document = (*Document)(nil)

// Name implements config.Document with the object's address.
func (d *Document) Name() string { return "s3://" + d.options.Bucket + "/" + d.options.Key }

// Fetch implements config.Document. The tag is the object's entity tag, with
// the version where the bucket keeps versions; a text that did not change is not sent.
func (d *Document) Fetch(ctx context.Context, tag string) (text []byte, newTag string, err error) {
	if err := ctx.Err(); err != nil { // not even from a cache
		return nil, "", d.translate(err)
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	in := &s3.GetObjectInput{Bucket: &d.options.Bucket, Key: &d.options.Key}
	if entity, ok := entityOf(tag); ok {
		in.IfNoneMatch = &entity
	}
	out, err := d.client.GetObject(ctx, in)
	if notModified(err) && in.IfNoneMatch != nil {
		return nil, tag, nil
	}
	if err != nil {
		return nil, "", d.translate(err)
	}
	defer func() { _ = out.Body.Close() }() // what was read of it counts
	if text, err = d.body(out); err != nil {
		return nil, "", err
	}
	if newTag = tagOf(out, text); newTag == tag {
		return nil, tag, nil // the store does not know conditions
	}
	return text, newTag, nil
}

// body reads the object, but not more of it than a configuration can have.
func (d *Document) body(out *s3.GetObjectOutput) ([]byte, error) {
	length := aws.ToInt64(out.ContentLength)
	if length > config.MaxBytes {
		return nil, d.tooLarge()
	}
	text, err := io.ReadAll(io.LimitReader(out.Body, config.MaxBytes+1))
	switch {
	case err != nil:
		return nil, d.translate(err)
	case len(text) > config.MaxBytes:
		return nil, d.tooLarge()
	case out.ContentLength != nil && int64(len(text)) < length:
		return nil, d.translate(io.ErrUnexpectedEOF)
	}
	return text, nil
}

func (d *Document) tooLarge() error {
	return fault.New(op, fault.Invalid, "too_large", "%s: the object has more than %d KiB; want at most that", d.Name(), config.MaxBytes>>10)
}

// tagOf makes a tag: the entity tag, a space, and the version. A store without
// entity tags gets a hash of ours, which no condition is made of.
func tagOf(out *s3.GetObjectOutput, text []byte) string {
	tag := aws.ToString(out.ETag)
	if _, ok := entityOf(tag); !ok {
		sum := sha256.Sum256(text)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	if version := aws.ToString(out.VersionId); version != "" && version != "null" {
		tag += " " + version
	}
	return tag
}

// entityOf returns the entity tag in a tag of tagOf. What else a caller hands in is no
// tag, and must not become a header.
func entityOf(tag string) (entity string, ok bool) {
	const most = 200
	entity, _, _ = strings.Cut(tag, " ")
	inner, quoted := strings.CutPrefix(entity, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	plain := !strings.ContainsFunc(inner, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' })
	return entity, quoted && closed && plain && inner != "" && len(inner) <= most
}

// ParseURL splits the address of an object, such as s3://bucket/path/to/key.
func ParseURL(text string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(text, "s3://")
	bucket, key, both := strings.Cut(rest, "/")
	if !ok || !both || bucket == "" || key == "" || strings.HasSuffix(key, "/") {
		return "", "", fault.New("s3.ParseURL", fault.Invalid, "bad_address", "%q; want s3://bucket/key, such as s3://acme-footway/production/footway.yaml", text)
	}
	return bucket, key, nil
}

// why joins what is wrong with what would be right.
func why(wrong, right string, args ...any) error {
	return fmt.Errorf(wrong+"; "+right, args...)
}
