package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"footway/core/fault"
)

// item is what a table keeps under a key.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[T ~int | ~int64 | ~uint64](n T) types.AttributeValue {
	if n < 0 {
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(uint64(n), 10)}
}

// textOf returns an attribute that is a string.
func textOf(i item, attr string) (string, bool) {
	s, ok := i[attr].(*types.AttributeValueMemberS)
	if !ok || s == nil {
		return "", false
	}
	return s.Value, true
}

// numberOf returns an attribute that is a whole number, not below 0.
func numberOf(i item, attr string) (uint64, bool) {
	n, ok := i[attr].(*types.AttributeValueMemberN)
	if !ok || n == nil {
		return 0, false
	}
	v, err := strconv.ParseUint(n.Value, 10, 64)
	return v, err == nil
}

// keyOf returns the key of an item, for errors too.
func keyOf(i item) string {
	key, _ := textOf(i, attrKey)
	return key
}

// maxID is how long the name of a robot, task, market, account or dock may be,
// in bytes: sort keys of an index, which hold more than a name, may have 1,024.
const maxID = 512

// checkID returns an error unless id can be part of a key.
func checkID(op, what, id string) error {
	switch {
	case len(id) > maxID:
		return fault.New(op, fault.Invalid, "bad_id", "the id of a %s has %d bytes; want %d at most", what, len(id), maxID)
	case !utf8.ValidString(id):
		return fault.New(op, fault.Invalid, "bad_id", "the id of a %s, %s, is not UTF-8", what, quote(id))
	}
	return nil
}

// maxDoc is how large a document may be, in bytes: an item may have 409,600,
// with its keys and names.
const maxDoc = 400_000

// document returns v as JSON. Personal data that v may hold never gets into the error.
func document(op, key string, v any) (types.AttributeValue, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fault.New(op, fault.Internal, "", "%s: %v", quote(key), err)
	}
	if len(b) > maxDoc {
		return nil, fault.New(op, fault.Invalid, "too_large", "%s would have %d bytes; an item of the table can have %d", quote(key), len(b), maxDoc)
	}
	return text(string(b)), nil
}

// parse reads the document of an item into v.
func parse(op string, i item, v any) error {
	doc, ok := textOf(i, attrDoc)
	if !ok {
		return badItem(op, keyOf(i), "no string %q", attrDoc)
	}
	if err := json.Unmarshal([]byte(doc), v); err != nil {
		return badItem(op, keyOf(i), "its document: %s", why(err))
	}
	return nil
}

// why says what is wrong with a document, without the values in it.
func why(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("field %q is no %s, at byte %d", e.Field, e.Type, e.Offset)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("no JSON at byte %d of it", e.Offset)
	}
	return "no JSON of its type"
}

// revisionOf returns the revision of an item.
func revisionOf(op string, i item) (uint64, error) {
	rev, ok := numberOf(i, attrRev)
	if !ok || rev == 0 {
		return 0, badItem(op, keyOf(i), "no revision in %q; want a whole number from 1", attrRev)
	}
	return rev, nil
}

// quote returns a key for an error: whole if it is short, so that no key makes an error endless.
func quote(key string) string {
	const longest = 80
	if len(key) > longest {
		return strconv.Quote(key[:longest]) + "…"
	}
	return strconv.Quote(key)
}
