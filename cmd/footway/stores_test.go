package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"footway/adapters/rabbit"
	"footway/cmd/stores"
	"footway/cmd/stores/storetest"
	"footway/core/delivery"
	"footway/core/fault"
)

// ask runs the program and checks its exit code and what it prints, by pattern.
func ask(t *testing.T, code int, stdout, stderr string, args ...string) {
	t.Helper()
	got, out, errs := footway(t, args...)
	if got != code {
		t.Errorf("footway %s: exit code %d, want %d", strings.Join(args, " "), got, code)
	}
	for _, p := range []struct {
		name, want, got string
	}{{"output", stdout, out}, {"errors", stderr, errs}} {
		if !regexp.MustCompile(`(?s)^` + p.want + `$`).MatchString(p.got) {
			t.Errorf("footway %s: %s %q, want %q", strings.Join(args, " "), p.name, p.got, p.want)
		}
	}
}

// writeDeployment writes d as a person would.
func writeDeployment(t *testing.T, d stores.Deployment) string {
	t.Helper()
	database := func(db stores.Database) string { return fmt.Sprintf("{url: %q, password: %q}", db.URL, db.Password) }
	text := fmt.Sprintf(`databases:
  deliveries: %s
  maps: %s
  integrations: %s
tables: {endpoint: %q, region: us-east-1, prefix: %s, access_key: %q, secret_key: %q}
broker: {url: %q, password: %q, prefix: %s}
`, database(d.Databases.Deliveries), database(d.Databases.Maps), database(d.Databases.Integrations),
		d.Tables.Endpoint, d.Tables.Prefix, d.Tables.AccessKey, d.Tables.SecretKey, d.Broker.URL, d.Broker.Password, d.Broker.Prefix)
	path := filepath.Join(t.TempDir(), "footway.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const tablesWarning = `.*this endpoint deletes nothing by its age.*` // dynalite

func TestStores(t *testing.T) {
	d := storetest.Deployment(t)
	config := "--config=" + writeDeployment(t, d)
	ask(t, exitFailed, `database deliveries +the schema .* older .* run .footway stores prepare.\n.*\ntables +there is no table .*\nbroker +.* no (exchange|queue) .*\n`, "", "stores", "check", config)
	for range 2 { // it may be repeated
		ask(t, exitOK, `database deliveries +prepared\ndatabase maps +prepared\ndatabase integrations +prepared\ntables +prepared\nbroker +prepared\n`, tablesWarning, "stores", "prepare", config)
	}
	ask(t, exitOK, `database deliveries +ok\n.*broker +ok\n`, "", "stores", "check", config)
	ask(t, exitOK, `\[{"name":"database deliveries","ok":true},.*\]\n`, "", "stores", "check", "--json", config)
	ask(t, exitOK, `Port Ellery is the network of here: \d+ edges, \d+ addresses\n`, "", "stores", "load-map", "city", "--market", "here", config)
	ask(t, exitUsage, "", `footway: --market is missing.*`, "stores", "load-map", "city", config)
	ask(t, exitOK, `personal data of 0 deliveries and quotes, .*\n`, "", "stores", "tidy", config)
	ask(t, exitOK, `{"personal":0,"quotes":0,"sent":0,"events":0}\n`, "", "stores", "tidy", "--json", config)
	ask(t, exitUsage, "", `footway: --every 1s: want 1m or more\n`, "stores", "tidy", "--every", "1s", config)
	ask(t, exitUsage, "", `footway: --config: open nowhere.yaml: .*; want a deployment file.*`, "stores", "check", "--config", "nowhere.yaml")

	d.Databases.Maps.URL = "postgres://nobody@127.0.0.1:1/maps"
	ask(t, exitFailed, `database deliveries +ok\ndatabase maps +[^\n]*connect[^\n]*\n.*broker +ok\n`, `.*`, "stores", "check", "--config="+writeDeployment(t, d))
}

func TestDeadLetters(t *testing.T) {
	d := storetest.Deployment(t)
	config := "--config=" + writeDeployment(t, d)
	ask(t, exitOK, `.*`, tablesWarning, "stores", "prepare", config)
	ask(t, exitOK, "there are no dead letters\n", "", "deadletters", "list", config)
	ask(t, exitUsage, "", `footway: which ones\? want ids, .*\n`, "deadletters", "replay", config)
	ask(t, exitUsage, "", `footway: there is no dead letter "x/1"\n`, "deadletters", "drop", "x/1", config)

	kill(t, d, "d1", "d2")
	ask(t, exitOK, `ID +SINCE +REASON +WHAT\nd1/1 +\S+Z +rejected +requested of m, partner p\nd2/1 .*\n`, "", "deadletters", "list", config)
	ask(t, exitOK, `ID [^\n]*\nd1/1 [^\n]*\n`, "", "deadletters", "list", "--limit", "1", config)
	ask(t, exitOK, `\[{"id":"d1/1","reason":"rejected",.*\]\n`, "", "deadletters", "list", "--json", config)
	ask(t, exitOK, "1 put back\n", "", "deadletters", "replay", "--delivery", "d2", config)
	ask(t, exitOK, `ID [^\n]*\nd1/1 [^\n]*\n`, "", "deadletters", "list", config)
	ask(t, exitOK, "", "", "deadletters", "drop", "d1/1", config)
	ask(t, exitOK, "there are no dead letters\n", "", "deadletters", "list", config)
}

// kill publishes an update of each delivery and refuses them for good.
func kill(t *testing.T, d stores.Deployment, ids ...delivery.ID) {
	t.Helper()
	broker, err := rabbit.NewBroker(rabbit.Options{URL: d.Broker.URL, Prefix: d.Broker.Prefix, Password: func(context.Context) (string, error) {
		return os.Getenv(strings.TrimPrefix(d.Broker.Password.String(), "env:")), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	publisher := rabbit.NewPublisher(broker, rabbit.PublisherOptions{})
	defer publisher.Close()
	for _, id := range ids {
		u := delivery.Update{Delivery: id, Sequence: 1, Kind: delivery.StateChanged, At: 1, Market: "m", Partner: "p", ExternalID: string(id), From: delivery.Quoted, To: delivery.Requested}
		if _, err := publisher.Publish(t.Context(), []delivery.Update{u}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	refuse := func(context.Context, ...delivery.Update) error {
		return fault.New("test", fault.Invalid, "", "never")
	}
	consumer := rabbit.NewConsumer(broker, refuse, rabbit.ConsumerOptions{})
	go func() {
		for ctx.Err() == nil {
			if depth, err := broker.Depth(ctx); err == nil && depth.Dead == len(ids) {
				stop()
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if err := consumer.Run(ctx); err != nil {
		t.Fatal(err)
	}
}
