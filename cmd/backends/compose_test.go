package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"footway/adapters/backends"
)

// composed is what the test reads of compose.yaml.
type composed struct {
	Services map[string]struct {
		Profiles    []string          `yaml:"profiles"`
		Image       string            `yaml:"image"`
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Ports       []string          `yaml:"ports"`
		Volumes     []string          `yaml:"volumes"`
		Healthcheck struct {
			Test []string `yaml:"test"`
		} `yaml:"healthcheck"`
	} `yaml:"services"`
	Volumes map[string]any `yaml:"volumes"`
}

// TestComposeFile: the file is well-formed and agrees with what this program
// and the package backends say.
func TestComposeFile(t *testing.T) {
	text, err := os.ReadFile("../../" + composeFile)
	if err != nil {
		t.Fatal(err)
	}
	var file composed
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	backing := 0 // those that come up without a profile
	for name, s := range file.Services {
		if len(s.Profiles) == 0 {
			backing++
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, ok := file.Volumes[source]; !ok && !strings.HasPrefix(source, "./") {
				t.Errorf("%s uses volume %s, which is not declared", name, source)
			}
		}
	}
	if backing != len(containers) {
		t.Errorf("%d services without a profile, want the %d of this program", backing, len(containers))
	}
	for k, c := range containers {
		s, ok := file.Services[c.service]
		if !ok {
			t.Errorf("there is no service %s", c.service)
			continue
		}
		if want := fmt.Sprintf("127.0.0.1:${%s:-%d}:%d", c.port, c.usual, c.inside); !slices.Equal(s.Ports, []string{want}) {
			t.Errorf("%s has the ports %q, want only %q", c.service, s.Ports, want)
		}
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s runs image %s, want a version", c.service, s.Image)
		}
		if len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s has no health check: --wait would not wait for it", c.service)
		}
		if want := fmt.Sprintf("export %s="+c.address, k, fmt.Sprintf("127.0.0.1:%d", c.usual)); !strings.Contains(string(text), want) {
			t.Errorf("the file does not tell people %q", want)
		}
	}
	for service, image := range map[string]string{
		"postgres": "postgis/postgis:" + backends.PostgresVersion + "-" + backends.PostGISVersion,
		"rabbitmq": "rabbitmq:" + backends.RabbitMQVersion,
	} {
		if got := file.Services[service].Image; got != image {
			t.Errorf("%s runs image %s, want %s", service, got, image)
		}
	}
	for _, credential := range []string{
		"postgres:" + file.Services["postgres"].Environment["POSTGRES_PASSWORD"] + "@",
		file.Services["rabbitmq"].Environment["RABBITMQ_DEFAULT_USER"] + ":" + file.Services["rabbitmq"].Environment["RABBITMQ_DEFAULT_PASS"] + "@",
	} {
		if !strings.Contains(containers[backends.Postgres].address+containers[backends.RabbitMQ].address, credential) {
			t.Errorf("the file says %q, which is in no address", credential)
		}
	}
}

// TestToxiproxyPinned: the Makefile builds the version that the tests look for.
func TestToxiproxyPinned(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if want := "\nTOXIPROXY_VERSION     := v" + backends.ToxiproxyVersion + "\n"; !strings.Contains(string(text), want) {
		t.Errorf("the Makefile does not say %q", strings.TrimSpace(want))
	}
}

// TestDynalitePinned: both ways of running dynalite install the one version.
func TestDynalitePinned(t *testing.T) {
	var manifest struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	for name, into := range map[string]any{"package.json": &manifest, "package-lock.json": &lock} {
		text, err := os.ReadFile("../../deploy/dynalite/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if got := manifest.Dependencies["dynalite"]; got != backends.DynaliteVersion {
		t.Errorf("package.json wants dynalite %q, want %s", got, backends.DynaliteVersion)
	}
	if got := lock.Packages["node_modules/dynalite"]; got.Version != backends.DynaliteVersion || got.Integrity == "" {
		t.Errorf("package-lock.json has dynalite %+v, want %s with its hash", got, backends.DynaliteVersion)
	}
}
