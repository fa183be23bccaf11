package backends

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
)

// witness leaves things that a server must keep, and looks for them.
type witness struct {
	prepare func(t *testing.T, address string) // makes the place for them
	leave   func(t *testing.T, address, what string)
	find    func(t *testing.T, address, what string)
}

var witnesses = map[Kind]witness{
	Postgres: {prepare: makeTable, leave: leaveRow, find: findRow},
	RabbitMQ: {prepare: declareQueues, leave: leaveMessage, find: findMessage},
	DynamoDB: {prepare: createTable, leave: leaveItem, find: findItem},
}

// TestServer takes a server of each kind through its life.
func TestServer(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(k.Name(), func(t *testing.T) {
			t.Parallel()
			w := witnesses[k]
			dir := filepath.Join(openFolder(t), "server")
			s := startOrSkip(t, k, Options{Dir: dir})
			address := s.URL()
			w.prepare(t, address)
			restart(t, s) // in good order
			w.leave(t, address, "first")

			s.Kill()
			refuses(t, address)
			restart(t, s)
			w.find(t, address, "first")
			w.leave(t, address, "second")
			stopped(t, s)

			// The folder holds all that a server is.
			again := startOrSkip(t, k, Options{Dir: dir})
			w.find(t, again.URL(), "first")
			w.find(t, again.URL(), "second")
			again.Kill()
			stopped(t, again) // with nothing but stragglers left
		})
	}
}

func restart(t *testing.T, s *Server) {
	t.Helper()
	before := s.URL()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.URL() != before {
		t.Errorf("the address after Restart is %s, want the %s of before", s.URL(), before)
	}
}

// TestTemporaryFolder: a server without a folder of its own leaves none.
func TestTemporaryFolder(t *testing.T) {
	t.Parallel()
	s := startOrSkip(t, DynamoDB, Options{})
	dir := filepath.Dir(s.Log())
	stopped(t, s)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s after Stop: %v, want it gone", dir, err)
	}
}

// TestStartFails: what goes wrong is told in the server's own words, and
// nothing is left.
func TestStartFails(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openFolder(t), "server")
	stopped(t, startOrSkip(t, Postgres, Options{Dir: dir}))
	control := filepath.Join(dir, "data", "global", "pg_control")
	if err := os.Truncate(control, 100); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := Start(ctx, Postgres, Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "pg_control") {
		t.Errorf("start on a damaged cluster: %v, want PostgreSQL's complaint about pg_control", err)
	}
	none(t, dir)
}

func TestStartUnknownKind(t *testing.T) {
	if s, err := Start(t.Context(), "FOOTWAY_TEST_ORACLE", Options{}); err == nil {
		t.Errorf("started %v, want an error", s)
	}
}

// TestCtl: a memory alarm blocks publishers, which RabbitMQ tells them, until it is over.
func TestCtl(t *testing.T) {
	t.Parallel()
	s := Own(t, RabbitMQ)
	conn, ch := openChannel(t, s.URL())
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 2))
	ctl := func(args ...string) {
		t.Helper()
		if _, err := s.Ctl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	told := func(want bool) {
		t.Helper()
		select {
		case b := <-blocked:
			if b.Active != want {
				t.Errorf("told %+v, want blocked %v", b, want)
			}
		case <-time.After(patient):
			t.Errorf("a publisher was not told in %v that it is blocked: %v", patient, want)
		}
	}
	ctl("set_vm_memory_high_watermark", "0")
	if err := ch.PublishWithContext(t.Context(), "", "nowhere", false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	told(true)
	ctl("set_vm_memory_high_watermark", "absolute", "1GB")
	told(false)
	if out, err := s.Ctl(t.Context(), "no_such_command"); err == nil {
		t.Errorf("rabbitmqctl no_such_command: %q, want an error", out)
	}
}

func TestCtlOfAnother(t *testing.T) {
	s := &Server{kind: Postgres, engine: &postgresEngine{}}
	if _, err := s.Ctl(t.Context(), "status"); err == nil {
		t.Error("rabbitmqctl against PostgreSQL succeeded")
	}
}

// openFolder returns a new folder that an ordinary user may pass; that of
// t.TempDir may be closed to all but its owner.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "footway-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startOrSkip(t *testing.T, k Kind, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), k, o)
	if missing := new(MissingError); errors.As(err, &missing) {
		notRun(t, "%v", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// stopped stops s and checks that nothing of it is left.
func stopped(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	refuses(t, s.URL())
	none(t, s.dir)
	if e, ok := s.engine.(*rabbitEngine); ok {
		refuses(t, "epmd://"+address(e.epmp))
	}
}

// refuses checks that nobody listens at the address.
func refuses(t *testing.T, server string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err == nil {
		conn.Close()
		t.Errorf("somebody listens at %s, want nobody", u.Host)
	}
}

// none checks that no process has dir in its command line or works in it.
func none(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err == nil && bytes.Contains(line, []byte(dir)) {
			t.Errorf("%s still runs: %q", name, line)
		}
	}
	pids, err := stragglers(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if len(pids) > 0 {
		t.Errorf("processes %v still work in %s", pids, dir)
	}
}

func connectPostgres(t *testing.T, server string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func makeTable(t *testing.T, server string) {
	conn := connectPostgres(t, server)
	defer conn.Close(t.Context())
	for _, sql := range []string{"CREATE EXTENSION postgis", "CREATE EXTENSION pg_trgm", "CREATE TABLE kept (what text, at geometry)"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on"} {
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", setting, got, err, want)
		}
	}
}

func leaveRow(t *testing.T, server, what string) {
	conn := connectPostgres(t, server)
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "INSERT INTO kept VALUES ($1, ST_Point(7, 51, 4326))", what); err != nil {
		t.Fatal(err)
	}
}

func findRow(t *testing.T, server, what string) {
	conn := connectPostgres(t, server)
	defer conn.Close(t.Context())
	var got string
	if err := conn.QueryRow(t.Context(), "SELECT ST_AsText(at) FROM kept WHERE what = $1", what).Scan(&got); err != nil || got != "POINT(7 51)" {
		t.Errorf("row %s is %q (%v), want POINT(7 51)", what, got, err)
	}
}

// openChannel's connection breaks off whatever takes too long: the library
// itself can wait for ever.
func openChannel(t *testing.T, server string) (*amqp.Connection, *amqp.Channel) {
	t.Helper()
	conn, err := amqp.DialConfig(server, amqp.Config{Dial: func(network, addr string) (net.Conn, error) {
		c, err := net.DialTimeout(network, addr, patient)
		if err != nil {
			return nil, err
		}
		time.AfterFunc(patient, func() { c.Close() })
		return c, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseDeadline(time.Now().Add(time.Second)) })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

var queueTypes = []string{"classic", "quorum"}

func declareQueues(t *testing.T, server string) {
	_, ch := openChannel(t, server)
	for _, kind := range queueTypes {
		if _, err := ch.QueueDeclare(kind, true, false, false, false, amqp.Table{"x-queue-type": kind}); err != nil {
			t.Fatal(err)
		}
	}
}

// leaveMessage publishes to both queues and waits for the confirms.
func leaveMessage(t *testing.T, server, what string) {
	_, ch := openChannel(t, server)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	for _, kind := range queueTypes {
		confirm, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", kind, true, false,
			amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(what)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patient)
		ok, err := confirm.WaitContext(ctx)
		cancel()
		if err != nil || !ok {
			t.Fatalf("publish to the %s queue: confirmed %v, %v", kind, ok, err)
		}
	}
}

// findMessage looks through the queues, and leaves the messages there by not
// acknowledging them.
func findMessage(t *testing.T, server, what string) {
	for _, kind := range queueTypes {
		_, ch := openChannel(t, server)
		found := false
		for !found {
			m, ok, err := ch.Get(kind, false)
			if err != nil || !ok {
				t.Errorf("the %s queue has no message %q (%v)", kind, what, err)
				break
			}
			found = string(m.Body) == what
		}
	}
}

// dynamo calls one operation. The signature is not checked, but must be there.
func dynamo(t *testing.T, server, operation string, in any) string {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("X-Amz-Date", "20300101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=any/20300101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=any")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", operation, resp.Status, out.String())
	}
	return out.String()
}

func createTable(t *testing.T, server string) {
	dynamo(t, server, "CreateTable", map[string]any{
		"TableName": "kept", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []map[string]string{{"AttributeName": "id", "AttributeType": "S"}},
		"KeySchema":            []map[string]string{{"AttributeName": "id", "KeyType": "HASH"}},
	})
	deadline := time.Now().Add(patient)
	for !strings.Contains(dynamo(t, server, "DescribeTable", map[string]any{"TableName": "kept"}), "ACTIVE") {
		if time.Now().After(deadline) {
			t.Fatal("the table is not active")
		}
	}
}

func item(what string) map[string]any { return map[string]any{"id": map[string]string{"S": what}} }

func leaveItem(t *testing.T, server, what string) {
	dynamo(t, server, "PutItem", map[string]any{"TableName": "kept", "Item": item(what)})
}

func findItem(t *testing.T, server, what string) {
	got := dynamo(t, server, "GetItem", map[string]any{"TableName": "kept", "Key": item(what), "ConsistentRead": true})
	if want := fmt.Sprintf(`{"Item":{"id":{"S":%q}}}`, what); got != want {
		t.Errorf("the item is %s, want %s", got, want)
	}
}

// TestDynaliteOutlivesItsClients: one that goes away in the middle of a request ends no server.
func TestDynaliteOutlivesItsClients(t *testing.T) {
	t.Parallel()
	s := Own(t, DynamoDB)
	w := witnesses[DynamoDB]
	w.prepare(t, s.URL())
	w.leave(t, s.URL(), "it")
	for range 20 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // until it is read
		if err := c.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	w.find(t, s.URL(), "it")
}
