package s3_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"footway/adapters/s3"
	"footway/core/fault"
	"footway/core/porttest"
)

// TestMain keeps what the machine says of AWS away from the tests that do not ask for it.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		if os.Getenv("FOOTWAY_TEST_S3_BUCKET") == "" {
			if err := os.Setenv(name, value); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

var keys = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "planted-secret-key", "")

// TestDocument runs the suite against a store in this process that speaks S3's protocol.
func TestDocument(t *testing.T) {
	backend := s3mem.New()
	store := httptest.NewServer(gofakes3.New(backend).Server())
	defer store.Close()
	if err := backend.CreateBucket("footway-test"); err != nil {
		t.Fatal(err)
	}
	suite(t, s3.Options{Bucket: "footway-test", Region: "us-east-1", Endpoint: store.URL, PathStyle: true, Credentials: keys})
}

// TestDocumentOfOthers runs the suite against a bucket that somebody names, of AWS or another store, with
// the credentials that AWS finds by itself.
func TestDocumentOfOthers(t *testing.T) {
	bucket, endpoint := os.Getenv("FOOTWAY_TEST_S3_BUCKET"), os.Getenv("FOOTWAY_TEST_S3_ENDPOINT")
	if bucket == "" {
		t.Skip("NOT RUN: FOOTWAY_TEST_S3_BUCKET names no bucket of a real store (FOOTWAY_TEST_S3_ENDPOINT its address, if it is not AWS); the suite ran against one in this process")
	}
	suite(t, s3.Options{Bucket: bucket, Region: os.Getenv("AWS_REGION"), Endpoint: endpoint, PathStyle: endpoint != ""})
}

// suite runs the port's suite with keys of its own in the bucket of o.
func suite(t *testing.T, o s3.Options) {
	c, err := awsconfig.LoadDefaultConfig(t.Context(), func(c *awsconfig.LoadOptions) error {
		c.Region, c.Credentials = o.Region, o.Credentials
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	writer := sdk.NewFromConfig(c, func(w *sdk.Options) {
		w.UsePathStyle = o.PathStyle
		if o.Endpoint != "" {
			w.BaseEndpoint = &o.Endpoint
		}
	})
	porttest.ConfigDocument(t, func(t *testing.T) porttest.ConfigPlace {
		o := o
		o.Key = "footway-test/" + rand.Text() + "/footway.yaml"
		d, err := s3.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		remove := func(ctx context.Context) {
			if _, err := writer.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: &o.Bucket, Key: &o.Key}); err != nil {
				t.Error(err)
			}
		}
		t.Cleanup(func() { remove(context.WithoutCancel(t.Context())) })
		return porttest.ConfigPlace{
			Document: d,
			Put: func(text []byte) {
				if _, err := writer.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: &o.Bucket, Key: &o.Key, Body: bytes.NewReader(text)}); err != nil {
					t.Error(err)
				}
			},
			Remove: func() { remove(t.Context()) },
		}
	})
}

func TestOpenMistakes(t *testing.T) {
	good := s3.Options{Bucket: "bucket", Key: "key", Region: "us-west-2", Credentials: keys}
	tests := []struct {
		name, want string
		change     func(*s3.Options)
	}{
		{"good", "", func(*s3.Options) {}},
		{"bucket", `bucket "My_Bucket": want 3 to 63 of lower-case letters`, func(o *s3.Options) { o.Bucket = "My_Bucket" }},
		{"no key", "key of 0 bytes in bucket bucket: want 1 to 1024", func(o *s3.Options) { o.Key = "" }},
		{"no region", "s3://bucket/key: the region of the bucket is missing; want one such as us-west-2", func(o *s3.Options) { o.Region = "" }},
		{"endpoint", "s3://bucket/key: its endpoint cannot be used; want https://host:port", func(o *s3.Options) { o.Endpoint = "localhost:9000" }},
		{"user", "want https://host:port without a user", func(o *s3.Options) { o.Endpoint = "http://user:planted@host" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.change(&o)
			d, err := s3.Open(t.Context(), o)
			if tt.want == "" {
				if err != nil || d.Name() != "s3://bucket/key" {
					t.Errorf("Open = %v", err)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "planted") {
				t.Errorf("Open = %v, want fault.Invalid: %s", err, tt.want)
			}
		})
	}
	t.Run("profile", func(t *testing.T) {
		t.Setenv("AWS_PROFILE", "nobody")
		if _, err := s3.Open(t.Context(), good); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "the profile that AWS_PROFILE names") {
			t.Errorf("Open = %v", err)
		}
	})
	t.Run("no credentials", func(t *testing.T) {
		o := good
		o.Credentials = nil
		o.Endpoint = "http://127.0.0.1:1"
		d, err := s3.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Fetch(t.Context(), ""); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "found no credentials to sign with; want AWS_ACCESS_KEY_ID") {
			t.Errorf("Fetch = %v", err)
		}
	})
}

func TestParseURL(t *testing.T) {
	if bucket, key, err := s3.ParseURL("s3://b-1/a/b c.yaml"); bucket != "b-1" || key != "a/b c.yaml" || err != nil {
		t.Errorf("ParseURL = %q, %q, %v", bucket, key, err)
	}
	for _, text := range []string{"", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/folder/", "https://bucket/key", "footway.yaml"} {
		if _, _, err := s3.ParseURL(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "want s3://bucket/key") {
			t.Errorf("ParseURL(%q) = %v, want fault.Invalid", text, err)
		}
	}
}

// TestTag wants the version of the object in the tag, and only the entity tag in the condition.
func TestTag(t *testing.T) {
	var conditions []string
	d := answered(t, func(w http.ResponseWriter, r *http.Request) {
		conditions = append(conditions, r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"abc"`)
		w.Header().Set("x-amz-version-id", "v1.Zz_-")
		if r.Header.Get("If-None-Match") == `"abc"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte("version: 1"))
	}, s3.Options{})
	text, tag, err := d.Fetch(t.Context(), "")
	if string(text) != "version: 1" || tag != `"abc" v1.Zz_-` || err != nil {
		t.Fatalf("Fetch = %q, %q, %v", text, tag, err)
	}
	text, again, err := d.Fetch(t.Context(), tag)
	if text != nil || again != tag || err != nil {
		t.Errorf("Fetch(%q) = %q, %q, %v; want the same tag and no text", tag, text, again, err)
	}
	if len(conditions) != 2 || conditions[0] != "" || conditions[1] != `"abc"` {
		t.Errorf("asked with the conditions %q, want none and then the entity tag", conditions)
	}
}

// TestNoConditions wants a store to do that knows neither conditions nor entity tags.
func TestNoConditions(t *testing.T) {
	for _, entity := range []string{`"abc"`, "", "abc"} {
		d := answered(t, func(w http.ResponseWriter, _ *http.Request) {
			if entity != "" {
				w.Header().Set("ETag", entity)
			}
			_, _ = w.Write([]byte("version: 1"))
		}, s3.Options{})
		text, tag, err := d.Fetch(t.Context(), "")
		if string(text) != "version: 1" || tag == "" || err != nil {
			t.Fatalf("ETag %s: Fetch = %q, %q, %v", entity, text, tag, err)
		}
		if text, again, err := d.Fetch(t.Context(), tag); text != nil || again != tag || err != nil {
			t.Errorf("ETag %s: Fetch(%q) = %q, %q, %v; want the same tag and no text", entity, tag, text, again, err)
		}
	}
}

// answered returns a document in a store that answers with handler.
func answered(t *testing.T, handler http.HandlerFunc, o s3.Options) *s3.Document {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o.Bucket, o.Key, o.Region, o.Endpoint, o.PathStyle, o.Credentials = "bucket", "key", "us-west-2", server.URL, true, aws.CredentialsProvider(keys)
	d, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
