package partner

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"footway/core/merchant"
)

// operation is one thing a partner may ask for.
type operation struct {
	name     string
	method   string
	path     string // {} stands for a segment that handle gets as an argument
	optional bool   // the body may be missing
	handle   func(d *Drive, ctx context.Context, c *call) (answer any, err error)
}

// call is one request on its way to an answer.
type call struct {
	Request
	op    operation
	args  []string
	query url.Values
	form  form
}

// id returns the partner's own id of the delivery that the request is about.
func (c *call) id() string { return c.args[0] }

func (c *call) businessKey() merchant.BusinessKey {
	return merchant.BusinessKey{Partner: c.Partner, ID: c.args[0]}
}

func (c *call) storeKey() merchant.StoreKey {
	return merchant.StoreKey{Partner: c.Partner, Business: c.args[0], ID: c.args[1]}
}

const (
	drive = "/drive/v2/"
	admin = "/developer/v1/businesses"
)

// operations are all that Drive serves. Requests without a body have an optional one.
func operations() []operation {
	return []operation{
		{"quote", "POST", drive + "quotes", false, (*Drive).quote},
		{"accept", "POST", drive + "quotes/{}/accept", true, (*Drive).accept},
		{"create", "POST", drive + "deliveries", false, (*Drive).create},
		{"get", "GET", drive + "deliveries/{}", true, (*Drive).get},
		{"update", "PATCH", drive + "deliveries/{}", false, (*Drive).update},
		{"cancel", "PUT", drive + "deliveries/{}/cancel", true, (*Drive).cancel},
		{"simulation", "GET", drive + "deliveries/{}/simulation", true, (*Drive).simulation},
		{"simulate", "POST", drive + "deliveries/{}/simulation", false, (*Drive).simulate},
		{"serviceability", "POST", drive + "serviceability", false, (*Drive).serviceability},
		{"autocomplete", "POST", drive + "address/auto_complete", false, (*Drive).autocomplete},
		{"create_business", "POST", admin, false, (*Drive).createBusiness},
		{"businesses", "GET", admin, true, (*Drive).businesses},
		{"business", "GET", admin + "/{}", true, (*Drive).business},
		{"update_business", "PATCH", admin + "/{}", false, (*Drive).updateBusiness},
		{"create_store", "POST", admin + "/{}/stores", false, (*Drive).createStore},
		{"stores", "GET", admin + "/{}/stores", true, (*Drive).stores},
		{"store", "GET", admin + "/{}/stores/{}", true, (*Drive).store},
		{"update_store", "PATCH", admin + "/{}/stores/{}", false, (*Drive).updateStore},
	}
}

// maxPath is the longest path with query that is looked at, in bytes.
const maxPath = 2048

// route finds the operation that a request asks for, and what its path and query say.
func route(r Request) (operation, []string, url.Values, error) {
	rawPath, rawQuery, _ := strings.Cut(r.Path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil || len(r.Path) > maxPath {
		return operation{}, nil, nil, problem{status: http.StatusBadRequest, Code: "validation_error", Message: "the path or its query cannot be read"}
	}
	var methods []string
	for _, op := range operations() {
		args, ok := match(op.path, rawPath)
		switch {
		case !ok:
		case op.method == r.Method:
			return op, args, query, nil
		default:
			methods = append(methods, op.method)
		}
	}
	if len(methods) > 0 {
		return operation{}, nil, nil, problem{status: http.StatusMethodNotAllowed, Code: "method_not_allowed", allow: strings.Join(methods, ", "),
			Message: "this path takes " + strings.Join(methods, " or ")}
	}
	return operation{}, nil, nil, nothing()
}

// match reports whether path has the shape of pattern, and returns what stands
// for the {}, which is never empty.
func match(pattern, path string) (args []string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		segment, err := url.PathUnescape(got[i])
		switch {
		case err != nil:
			return nil, false
		case want[i] == "{}" && segment != "":
			args = append(args, segment)
		case want[i] != segment:
			return nil, false
		}
	}
	return args, true
}
