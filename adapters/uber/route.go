package uber

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// operation is one thing a partner may ask for.
type operation struct {
	name   string
	method string
	path   string // behind the customer; {} stands for the id of a delivery
	handle func(d *Direct, ctx context.Context, c *call) (answer any, err error)
}

// call is one request on its way to an answer.
type call struct {
	Request
	op    operation
	id    string // of the delivery that it is about
	query url.Values
}

// Prefix begins all paths that Direct serves; the customer's id comes behind it.
const Prefix = "/v1/customers/"

// operations are all that Direct serves.
func operations() []operation {
	return []operation{
		{"uber_quote", "POST", "delivery_quotes", (*Direct).quote},
		{"uber_create", "POST", "deliveries", (*Direct).create},
		{"uber_list", "GET", "deliveries", (*Direct).list},
		{"uber_get", "GET", "deliveries/{}", (*Direct).get},
		{"uber_update", "POST", "deliveries/{}", (*Direct).update},
		{"uber_cancel", "POST", "deliveries/{}/cancel", (*Direct).cancel},
		{"uber_proof", "POST", "deliveries/{}/proof-of-delivery", (*Direct).proof},
	}
}

// maxPath is the longest path with query that is looked at, in bytes.
const maxPath = 2048

// route finds the operation that a request asks for. Who names another customer
// than itself learns that there is none.
func route(r Request) (*call, error) {
	c := &call{Request: r}
	rawPath, rawQuery, _ := strings.Cut(r.Path, "?")
	segments, readable := unescaped(strings.TrimPrefix(rawPath, Prefix))
	query, err := url.ParseQuery(rawQuery)
	switch {
	case err != nil || len(r.Path) > maxPath:
		return c, invalid("path", "it cannot be read")
	case !readable || !strings.HasPrefix(rawPath, Prefix) || len(segments) < 2:
		return c, nothing()
	case segments[0] != string(r.Partner):
		return c, problem{status: http.StatusNotFound, Code: "customer_not_found", Message: "Customer does not exist."}
	}
	c.query = query
	var methods []string
	for _, op := range operations() {
		id, ok := match(op.path, segments[1:])
		switch {
		case !ok:
		case op.method == r.Method:
			c.op, c.id = op, id
			return c, nil
		default:
			methods = append(methods, op.method)
		}
	}
	if len(methods) > 0 {
		return c, problem{status: http.StatusMethodNotAllowed, Code: "method_not_allowed", allow: strings.Join(methods, ", "), Message: "This path takes " + strings.Join(methods, " or ") + "."}
	}
	return c, nothing()
}

// unescaped returns the segments of a path.
func unescaped(path string) ([]string, bool) {
	segments := strings.Split(path, "/")
	for i := range segments {
		text, err := url.PathUnescape(segments[i])
		if err != nil || text == "" {
			return nil, false
		}
		segments[i] = text
	}
	return segments, true
}

// match reports whether segments have the shape of pattern, and returns what stands for {}.
func match(pattern string, segments []string) (id string, ok bool) {
	want := strings.Split(pattern, "/")
	if len(want) != len(segments) {
		return "", false
	}
	for i := range want {
		switch {
		case want[i] == "{}":
			id = segments[i]
		case want[i] != segments[i]:
			return "", false
		}
	}
	return id, true
}
