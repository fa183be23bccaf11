package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/adapters/integrations"
	"footway/adapters/secret"
	"footway/adapters/wallclock"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/cmd/stores/storetest"
)

// withPartners adds to a deployment file what partners need.
func withPartners(t *testing.T, path string) string {
	t.Helper()
	t.Setenv("FOOTWAY_TEST_SEAL_KEY", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`markets:
  - {id: wedgwood, time_zone: America/Los_Angeles}
  - {id: test, time_zone: America/Los_Angeles, sandbox: true}
integrations: {seal_key: "env:FOOTWAY_TEST_SEAL_KEY"}
`)
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	return path
}

// askJSON runs the program with --json and reads what it prints into v.
func askJSON(t *testing.T, v any, args ...string) {
	t.Helper()
	code, out, errs := footway(t, append(args, "--json")...)
	if code != exitOK {
		t.Fatalf("footway %s: exit code %d, %s", strings.Join(args, " "), code, errs)
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		t.Fatalf("footway %s: %v in %q", strings.Join(args, " "), err, out)
	}
}

// TestPartnersKeyOpensTheDoor adds a partner on the command line, and knocks at the door of
// the same deployment with what it printed, as a partner's own client does.
func TestPartnersKeyOpensTheDoor(t *testing.T) {
	path := withPartners(t, writeDeployment(t, storetest.Deployment(t)))
	config := "--config=" + path
	ask(t, exitOK, `.*`, tablesWarning, "stores", "prepare", config)
	ask(t, exitOK, `id +acme\nname +Acme Foods\nenvironment +live\ndialect +drive\nmarkets +wedgwood\ndeveloper_id +\S+\nstatus +active\ncreated +\S+\n`, "",
		"partners", "add", "acme", "--name", "Acme Foods", "--market", "wedgwood", config)

	type key struct {
		Developer string `json:"developer_id"`
		ID        string `json:"key_id"`
		Secret    string `json:"signing_secret"`
	}
	var first, second key
	askJSON(t, &first, "partners", "keys", "add", "acme", config)
	door := openDoor(t, path)
	knock := func(k key) int {
		t.Helper()
		secret, err := base64.RawURLEncoding.DecodeString(k.Secret)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().Unix()
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "doordash", "iss": k.Developer, "kid": k.ID, "iat": now, "exp": now + 60})
		token.Header["dd-ver"] = "DD-JWT-V1"
		text, err := token.SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, door+"/drive/v2/deliveries/D-1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+text)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode == http.StatusOK && string(body) != `{"partner":"acme"}` || err != nil {
			t.Errorf("the door takes the caller for %s (%v), want acme", body, err)
		}
		return resp.StatusCode
	}
	if got := knock(first); got != http.StatusOK {
		t.Errorf("a new key: %d, want 200", got)
	}
	if forged := (key{first.Developer, first.ID, base64.RawURLEncoding.EncodeToString(make([]byte, 32))}); knock(forged) != http.StatusUnauthorized {
		t.Error("a wrong secret opens the door")
	}
	askJSON(t, &second, "partners", "keys", "rotate", "acme", first.ID, config)
	if a, b := knock(first), knock(second); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("during the grace: %d and %d, want 200 for both", a, b)
	}
	ask(t, exitOK, `key_id +`+first.ID+`\nstate +revoked\n`, "", "partners", "keys", "revoke", "acme", first.ID, config)
	ask(t, exitOK, `(?s).*`+first.ID+` +revoked .*`, "", "partners", "keys", "list", "acme", config)
	for end := time.Now().Add(20 * time.Second); knock(first) != http.StatusUnauthorized; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a revoked key still opens the door")
		}
	}
	ask(t, exitOK, `(?s).*status +suspended.*`, "", "partners", "suspend", "acme", config)
	for end := time.Now().Add(20 * time.Second); knock(second) != http.StatusUnauthorized; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a suspended partner still gets in")
		}
	}
	ask(t, exitOK, `(?s).*status +active.*`, "", "partners", "resume", "acme", config)
	code, out, errs := footway(t, "partners", "show", "acme", config)
	if code != exitOK || strings.Contains(out+errs, first.Secret) || strings.Contains(out+errs, second.Secret) {
		t.Errorf("show: exit code %d, and a secret in it: %s", code, out+errs)
	}
}

// openDoor returns the address of a door of a deployment, behind which Drive tells who asked.
func openDoor(t *testing.T, path string) string {
	t.Helper()
	d, err := stores.ReadDeployment(path)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	kept, err := serve.OnBackends(t.Context(), d, secret.NewResolver(&secret.Ring{}, log), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kept.Close)
	door := integrations.New(integrations.Deps{
		Keys: serve.NewRegistry(d, kept), Events: kept.Events, Clock: wallclock.Clock{}, Log: log,
		Drive: func(_ context.Context, r integrations.Request) integrations.Answer {
			return integrations.Answer{Status: http.StatusOK, Body: []byte(`{"partner":"` + string(r.Partner) + `"}`)}
		},
	}, integrations.Options{CacheFor: time.Millisecond, PerMinute: 1_000_000, Burst: 1_000_000})
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	return server.URL
}

func TestPartners(t *testing.T) {
	d := storetest.Deployment(t)
	bare := "--config=" + writeDeployment(t, d)
	config := "--config=" + withPartners(t, writeDeployment(t, d))
	ask(t, exitOK, `.*`, tablesWarning, "stores", "prepare", bare)
	ask(t, exitUsage, "", `footway: .*integrations.seal_key: missing; .*openssl rand.*`, "partners", "list", bare)
	ask(t, exitOK, "there are no partners\n", "", "partners", "list", config)
	ask(t, exitOK, `\[\]\n`, "", "partners", "list", "--json", config)
	for range 2 { // it may be repeated
		ask(t, exitOK, `id +acme-test\n.*environment +sandbox\n.*`, "", "partners", "add", "acme-test", "--name", "Acme", "--market", "test", "--sandbox", config)
	}
	ask(t, exitOK, `ID +ENVIRONMENT +STATUS +MARKETS +NAME\nacme-test +sandbox +active +test +Acme\n`, "", "partners", "list", config)
	ask(t, exitOK, `\[{"id":"acme-test",.*"developer_id":"[^"]+".*}\]\n`, "", "partners", "list", "--json", config)

	ask(t, exitOK, `id +eats\n.*dialect +uber\n.*`, "", "partners", "add", "eats", "--name", "Eats", "--market", "wedgwood", "--dialect", "uber", config)

	add := []string{"partners", "add", "acme-test", config, "--name"}
	for _, c := range []struct {
		stderr string
		args   []string
	}{
		{`footway: .*exists with other particulars\n`, append(add, "Other", "--market", "test", "--sandbox")},
		{`footway: .*has sandbox robots.*\n`, append(add, "Acme", "--market", "test")},
		{`footway: .*has live robots.*\n`, append(add, "Acme", "--market", "wedgwood", "--sandbox")},
		{`footway: .*market "nowhere": .*no market "nowhere".*\n`, append(add, "Acme", "--market", "nowhere")},
		{`footway: .*exists with other particulars\n`, append(add, "Acme", "--market", "test", "--sandbox", "--dialect", "uber")},
		{`footway: --dialect: .*"klingon"; want drive or uber\n`, append(add, "Acme", "--market", "test", "--sandbox", "--dialect", "klingon")},
		{`footway: --name is missing.*\n`, []string{"partners", "add", "acme", "--market", "test", config}},
		{`footway: --market is missing.*\n`, []string{"partners", "add", "acme", "--name", "Acme", config}},
		{`footway: .*id "A B": want.*\n`, []string{"partners", "add", "A B", "--name", "Acme", "--market", "wedgwood", config}},
		{`footway: there is no partner "nobody"\n`, []string{"partners", "show", "nobody", config}},
		{`footway: there is no partner "nobody"\n`, []string{"partners", "keys", "add", "nobody", config}},
		{`footway: partner acme-test has no key "k1"\n`, []string{"partners", "keys", "revoke", "acme-test", "k1", config}},
		{`footway: --grace -1s: want 0s or more\n`, []string{"partners", "keys", "rotate", "acme-test", "k1", "--grace", "-1s", config}},
		{`footway: partner acme-test has no endpoint "e1"\n`, []string{"partners", "endpoints", "remove", "acme-test", "e1", config}},
		{`footway: --url is missing.*\n`, []string{"partners", "endpoints", "add", "acme-test", config}},
		{`footway: .*url: .*want https.*\n`, []string{"partners", "endpoints", "add", "acme-test", "--url", "http://hooks.example.com", config}},
		{`footway: .*basic wants a user.*\n`, []string{"partners", "endpoints", "add", "acme-test", "--url", "https://hooks.example.com", "--auth", "basic", config}},
		{`footway: --password: .*not shown.*\n`, []string{"partners", "endpoints", "add", "acme-test", "--url", "https://hooks.example.com", "--password", "hunter2", config}},
		{`footway: --config: open nowhere.yaml: .*\n`, []string{"partners", "list", "--config", "nowhere.yaml"}},
	} {
		ask(t, exitUsage, "", c.stderr, c.args...)
	}
}

func TestPartnersEndpoints(t *testing.T) {
	config := "--config=" + withPartners(t, writeDeployment(t, storetest.Deployment(t)))
	const shown = `footway: the signing secret is shown this once; keep it safe\n`
	ask(t, exitOK, `.*`, tablesWarning, "stores", "prepare", config)
	ask(t, exitOK, `.*`, "", "partners", "add", "acme", "--name", "Acme", "--market", "wedgwood", config)
	ask(t, exitOK, "it has no endpoints\n", "", "partners", "endpoints", "list", "acme", config)
	t.Setenv("ACME_PASSWORD", "correct horse")
	var id string
	code, out, errs := footway(t, "partners", "endpoints", "add", "acme", "--url", "https://hooks.example.com/f", "--event", "DASHER_PICKED_UP",
		"--auth", "basic", "--user", "footway", "--password", "env:ACME_PASSWORD", config)
	if got := regexp.MustCompile(`(?s)^id +(\S+)\nurl +https://hooks\.example\.com/f\nauth +basic\nevents +DASHER_PICKED_UP\nstatus +active\nsigning_secret +whsec_\S+\n$`).FindStringSubmatch(out); got != nil {
		id = got[1]
	}
	if code != exitOK || id == "" || !regexp.MustCompile(`^`+shown+`$`).MatchString(errs) || strings.Contains(out+errs, "correct horse") {
		t.Fatalf("endpoints add: exit code %d, %q, %q", code, out, errs)
	}
	ask(t, exitOK, `(?s)id +`+id+`\n.*old secret until +\S+Z\nsigning_secret +whsec_\S+\n`, shown, "partners", "endpoints", "rotate", "acme", id, "--grace", "1h", config)
	ask(t, exitOK, `(?s).*status +suspended\n.*`, "", "partners", "endpoints", "suspend", "acme", id, config)
	ask(t, exitOK, `(?s).*status +active\n.*`, "", "partners", "endpoints", "resume", "acme", id, config)
	ask(t, exitOK, `(?s).*status +gone\n.*`, "", "partners", "endpoints", "remove", "acme", id, config)
	ask(t, exitOK, `\[{"id":"`+id+`","url":"[^"]+","auth":"basic","user":"footway","events":\["DASHER_PICKED_UP"\],"status":"gone".*}\]\n`, "",
		"partners", "endpoints", "list", "acme", "--json", config)
}
