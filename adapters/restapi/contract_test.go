package restapi

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// loadDocument reads an OpenAPI document and checks it against the specification.
func loadDocument(t testing.TB, name string) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(documentOf(name))
	if err != nil {
		t.Fatalf("openapi/%s.yaml: %v", name, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("openapi/%s.yaml: %v", name, err)
	}
	return doc
}

// contract stands before a handler and compares what passes with the document:
// each answer, and each request that was answered with success.
type contract struct {
	t      testing.TB
	router routers.Router
	next   http.Handler
}

// checked are the operations of which a success was compared with its document.
var checked sync.Map

// TestMain fails a whole run in which an operation was never compared.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == ""
	for op := range access {
		if _, ok := checked.Load(op); !ok && whole && code == 0 {
			fmt.Printf("no test compares a success of %s with its document\n", op)
			code = 1
		}
	}
	os.Exit(code)
}

func newContract(t testing.TB, document string, next http.Handler) *contract {
	t.Helper()
	r, err := gorillamux.NewRouter(loadDocument(t, document))
	if err != nil {
		t.Fatal(err)
	}
	return &contract{t: t, router: r, next: next}
}

// ServeHTTP implements http.Handler.
func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, params, err := c.router.FindRoute(r)
	if err != nil || route.Operation == nil || r.Method == http.MethodHead {
		c.next.ServeHTTP(w, r)
		return
	}
	body := &copied{Reader: r.Body, Closer: r.Body}
	in := r.Clone(r.Context())
	r.Body = body
	kept := &keptAnswer{ResponseWriter: w}
	c.next.ServeHTTP(kept, r)
	in.Body = io.NopCloser(bytes.NewReader(body.read.Bytes()))
	c.compare(route, params, in, kept)
}

func (c *contract) compare(route *routers.Route, params map[string]string, r *http.Request, a *keptAnswer) {
	ctx, op := context.Background(), route.Operation.OperationID
	o := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: o}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(ctx, in); err != nil {
			c.t.Errorf("%s: answered with %d, and the request is not as documented: %v", op, a.status, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.status, Header: a.Header(), Options: o}
	if strings.HasPrefix(a.Header().Get("Content-Type"), eventStream) {
		o.ExcludeResponseBody = true
	}
	out.SetBodyBytes(a.body.Bytes())
	if err := openapi3filter.ValidateResponse(ctx, out); err != nil {
		c.t.Errorf("%s: the answer %d is not as documented: %v\n%s", op, a.status, err, a.body.Bytes())
	}
	if a.status < 300 {
		checked.Store(op, true)
	}
}

// copied keeps what is read of a body.
type copied struct {
	io.Reader
	io.Closer
	read bytes.Buffer
}

func (b *copied) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read.Write(p[:n])
	return n, err
}

// keptAnswer keeps what is written.
type keptAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

func (k *keptAnswer) Write(b []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	k.body.Write(b)
	return k.ResponseWriter.Write(b)
}

func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// apis returns all APIs by the names of their documents, for tests of their routes.
func apis() map[string]*API {
	return map[string]*API{"deliveries": NewDeliveries(DeliveriesDeps{}, Options{}), "dispatch": NewDispatch(DispatchDeps{}, Options{}), "webhooks": NewWebhooks(WebhooksDeps{}, Options{})}
}

// TestDocumentsAndRoutes compares what is documented, what is implemented and who may call it.
func TestDocumentsAndRoutes(t *testing.T) {
	documented := map[string]bool{}
	for name, api := range apis() {
		doc, implemented := loadDocument(t, name), map[string]string{}
		for _, r := range api.routes {
			implemented[r.method+" "+r.path] = r.operation
		}
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				key := method + " " + path
				documented[op.OperationID] = true
				if implemented[key] != op.OperationID {
					t.Errorf("%s: %s is documented as %s, and implemented as %q", name, key, op.OperationID, implemented[key])
				}
				delete(implemented, key)
				if len(access[op.OperationID]) == 0 {
					t.Errorf("%s: nobody may call %s: want an entry in the table of access", name, op.OperationID)
				}
				if public := op.Security != nil && len(*op.Security) == 0; public != isPublic(op.OperationID) {
					t.Errorf("%s: %s is documented as public: %v, and is: %v", name, op.OperationID, public, isPublic(op.OperationID))
				}
			}
		}
		for key, op := range implemented {
			t.Errorf("%s: %s (%s) is implemented, and not documented", name, key, op)
		}
	}
	for op := range access {
		if !documented[op] {
			t.Errorf("the table of access has %s, which no document has", op)
		}
	}
}

// TestAccess walks all operations with each kind of caller.
func TestAccess(t *testing.T) {
	callers := map[string]Caller{
		integrations: {Role: RoleService, Name: "integrations"}, deliveries: {Role: RoleService, Name: "deliveries"}, operator: {Role: RoleService, Name: "operator"},
		merchants: {Role: RoleMerchant, Name: "m", Partner: "p"}, recipients: {Role: RoleRecipient, Name: "r", Delivery: "d"},
		admins: {Role: RoleMerchant, Name: "a", Partner: "p", Business: "b", Admin: true}, "an admin of one store": {Role: RoleMerchant, Partner: "p", Business: "b", Store: "s", Admin: true},
		"staff of a business": {Role: RoleMerchant, Partner: "p", Business: "b"}, "an admin of nothing": {Role: RoleMerchant, Partner: "p", Admin: true}, "a service that says it is an admin": {Role: RoleService, Name: "fleet", Partner: "p", Business: "b", Admin: true},
		"stranger": {}, "fleet": {Role: RoleService, Name: "fleet"}, "a merchant called deliveries": {Role: RoleMerchant, Name: "deliveries", Partner: "p"},
	}
	for op, who := range access {
		for name, c := range callers {
			if got, want := allows(op, c), slices.Contains(who, name) || slices.Contains(who, anybody) || c.Role == RoleMerchant && slices.Contains(who, merchants); got != want {
				t.Errorf("%s may call %s: %v, want %v", name, op, got, want)
			}
		}
		if !allows(op, Caller{Role: RoleService, Name: AnyService}) {
			// what is for people only is for development too
			if slices.ContainsFunc(who, func(w string) bool { return w != merchants && w != recipients && w != admins }) {
				t.Errorf("any service may not call %s", op)
			}
		}
	}
	if allows("no such operation", callers[operator]) || allows("", callers[operator]) {
		t.Error("somebody may call what is not in the table")
	}
}
