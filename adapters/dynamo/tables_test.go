package dynamo

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"footway/adapters/backends"
	"footway/core/fault"
)

func TestCreateTables(t *testing.T) {
	t.Parallel()
	db := open(t)
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check of new tables: %v", err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := db.CreateTables(t.Context()); err != nil {
				t.Errorf("CreateTables again: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestCreateTablesAtOnce(t *testing.T) {
	t.Parallel()
	db := open(t)
	drop(t, db)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := db.CreateTables(t.Context()); err != nil {
				t.Errorf("CreateTables, four at once: %v", err)
			}
		})
	}
	wg.Wait()
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// TestOtherTables has tables of the names that are not Footway's.
func TestOtherTables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"another key": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema[0].AttributeName = aws.String("id")
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN})
		}, "its key is HASH id N, not HASH pk S"},
		"an index is missing": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = in.GlobalSecondaryIndexes[:2]
			in.AttributeDefinitions = in.AttributeDefinitions[:0]
			for _, n := range []string{attrKey, attrActive, attrRobot, attrToken} {
				in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS})
			}
		}, `it has no index "feed"`},
		"another index": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[2].Projection = &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
		}, `its index "feed" holds KEYS_ONLY, not INCLUDE events`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			drop(t, db)
			for _, in := range db.tables.all() {
				if strings.HasSuffix(*in.TableName, "tasks") {
					c.change(in)
				}
				if _, err := db.client.CreateTable(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			for what, err := range map[string]error{"CreateTables": db.CreateTables(t.Context()), "Check": db.Check(t.Context())} {
				wantFault(t, what, err, fault.Conflict, "table_schema")
				if err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, want it to say %q", what, err, c.want)
				}
			}
		})
	}
}

func TestMissingTable(t *testing.T) {
	t.Parallel()
	o := options(t, backends.Require(t, backends.DynamoDB))
	o.Prefix = "none-"
	db := openWith(t, o)
	err := db.Check(t.Context())
	wantFault(t, "Check", err, fault.Internal, "no_table")
	if err != nil && !strings.Contains(err.Error(), "none-fleet-robots") {
		t.Errorf("Check: %v, want it to name the table", err)
	}
	_, err = NewFleetStore(db).Robot(t.Context(), "r1")
	wantFault(t, "Robot", err, fault.Internal, "no_table")
}

// TestBadCredentials has a server that answers as Amazon's does, with the
// request's headers in its words.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	const token = "the-session-token"
	for code, want := range map[string]string{
		"UnrecognizedClientException": "credentials",
		"InvalidSignatureException":   "credentials",
		"ExpiredTokenException":       "credentials",
		"AccessDeniedException":       "access_denied",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			said := "you may not"
			if want == "credentials" {
				said = "the canonical string should have been x-amz-security-token:" + r.Header.Get("X-Amz-Security-Token")
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#%s","message":%q}`, code, said)
		}))
		t.Cleanup(server.Close)
		o := options(t, server.URL)
		o.Credentials = credentials.NewStaticCredentialsProvider("id", "the-secret", token)
		db := openWith(t, o)
		err := db.Check(t.Context())
		wantFault(t, "Check with "+code, err, fault.Internal, want)
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "the-secret")) {
			t.Errorf("Check with %s: %v: it tells a secret", code, err)
		}
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	o := options(t, "http://127.0.0.1:1")
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, fmt.Errorf("the file is empty")
	})
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err) // a process that needs no table has no credentials
	}
	wantFault(t, "Check", db.Check(t.Context()), fault.Internal, "no_credentials")
}

// TestEnvironment opens with nothing but what the environment says.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "none"))
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	_, err := Open(t.Context(), Options{})
	wantFault(t, "Open without a region", err, fault.Invalid, "no_region")
	t.Setenv("AWS_REGION", "eu-west-1")
	db, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, "Check without credentials", db.Check(t.Context()), fault.Internal, "no_credentials")
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	db, err = Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := db.client.Options().Region; got != "eu-west-1" {
		t.Errorf("the region is %q, want that of the environment", got)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"negative timeout":            func(o *Options) { o.Timeouts.Dial = -1 },
		"attempt longer than call":    func(o *Options) { o.Timeouts.Attempt = time.Hour },
		"overlap shorter than a call": func(o *Options) { o.Overlap = time.Second },
		"retention below overlap":     func(o *Options) { o.Retention = time.Second },
		"negative page":               func(o *Options) { o.PageSize = -1 },
		"no attempts":                 func(o *Options) { o.Retries.MaxAttempts = -1 },
		"bad prefix":                  func(o *Options) { o.Prefix = "a b" },
	} {
		o := options(t, "")
		change(&o)
		if _, err := Open(t.Context(), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("Open with %s: %v, want it invalid", name, err)
		}
	}
}

// TestExpiry has an endpoint that deletes by age, as Amazon's does.
func TestExpiry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now    types.TimeToLiveDescription
		update bool
		kind   string
	}{
		"off":              {types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}, true, ""},
		"on":               {types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusEnabled, AttributeName: aws.String(attrExpires)}, false, ""},
		"on for something": {types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusEnabled, AttributeName: aws.String("x")}, false, "table_schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			updated := ""
			server := middleware.InitializeMiddlewareFunc("TestExpiry", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
				switch p := in.Parameters.(type) {
				case *dynamodb.DescribeTimeToLiveInput:
					return middleware.InitializeOutput{Result: &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: &c.now}}, meta, nil
				case *dynamodb.UpdateTimeToLiveInput:
					updated = *p.TableName + " " + *p.TimeToLiveSpecification.AttributeName
					return middleware.InitializeOutput{Result: &dynamodb.UpdateTimeToLiveOutput{}}, meta, nil
				}
				return next.HandleInitialize(ctx, in)
			})
			db := open(t, func(o *Options) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Initialize.Add(server, middleware.Before) })
			})
			err := db.CreateTables(t.Context())
			if c.kind == "" && err != nil || c.kind != "" && fault.ReasonOf(err) != c.kind {
				t.Errorf("CreateTables: %v, want reason %q", err, c.kind)
			}
			want := ""
			if c.update {
				want = db.tables.tasks() + " " + attrExpires
			}
			if updated != want {
				t.Errorf("CreateTables set the age of %q, want %q", updated, want)
			}
		})
	}
}
