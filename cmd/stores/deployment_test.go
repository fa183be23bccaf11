package stores_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footway/cmd/stores"
	"footway/core/clock"
)

const good = `
databases:
  deliveries: {url: "postgres://footway@db:5432/deliveries?sslmode=verify-full", password: env:DELIVERIES_PASSWORD, connections: 20}
  maps: {url: "postgres://footway@db:5432/maps?sslmode=verify-full", password: env:MAPS_PASSWORD}
  integrations: {url: "postgres://footway@db:5432/integrations?sslmode=verify-full", password: file:/run/secrets/integrations}
tables: {region: us-west-2, prefix: staging-}
broker: {url: "amqps://footway@mq:5671/", password: env:BROKER_PASSWORD}
configuration: {from: "s3://footway-config/production.yaml", refresh: 1m}
retention: {personal: 240h}
`

func read(t *testing.T, text string) (stores.Deployment, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "footway.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return stores.ReadDeployment(path)
}

func TestReadDeployment(t *testing.T) {
	d, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	if d.Databases.Deliveries.Connections != 20 || d.Databases.Maps.Connections != 10 {
		t.Errorf("connections are %d and %d, want 20 as written and 10 by default", d.Databases.Deliveries.Connections, d.Databases.Maps.Connections)
	}
	if d.Retention.Personal != 10*clock.Day || d.Retention.Sent != clock.Day || d.Configuration.Refresh != clock.Minute {
		t.Errorf("retention %+v, refresh %v; want what is written, over the defaults", d.Retention, d.Configuration.Refresh)
	}
}

func TestReadDeploymentRefuses(t *testing.T) {
	for _, tt := range []struct{ name, change, to, want string }{
		{"a missing address", `url: "postgres://footway@db:5432/maps?sslmode=verify-full", `, "", "databases.maps.url"},
		{"another scheme", "amqps://footway@mq:5671/", "http://mq", "broker.url"},
		{"an unknown name", "refresh: 1m", "refresh_every: 1m", "refresh_every"},
		{"half of a key", "prefix: staging-", "access_key: env:KEY", "access_key and secret_key belong together"},
		{"too many connections", "connections: 20", "connections: 2000", "connections"},
		{"an address that is none", "postgres://footway@db:5432/deliveries", "postgres://hunter2@%zz/deliveries", "databases.deliveries.url"},
		{"a password in an address", "amqps://footway@mq", "amqps://footway:hunter2@mq", "env:NAME or file:/path"},
		{"a password in a query", "deliveries?sslmode", "deliveries?password=hunter2&sslmode", "env:NAME or file:/path"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.change, tt.to, 1)
			if text == good {
				t.Fatalf("%q is not in the file", tt.change)
			}
			_, err := read(t, text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// A secret that somebody wrote down by mistake is not written down again.
func TestReadDeploymentHidesSecrets(t *testing.T) {
	_, err := read(t, strings.Replace(good, "footway@mq", "footway:hunter2@mq", 1))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v, want one without the password", err)
	}
}
