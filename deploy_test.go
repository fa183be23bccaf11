package footway_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"footway/cmd/stores"
)

// stack is what is read here of deploy/compose.yaml.
type stack struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Profiles    []string          `yaml:"profiles"`
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Volumes     []string          `yaml:"volumes"`
		DependsOn   map[string]any    `yaml:"depends_on"`
	} `yaml:"services"`
}

// TestComposeServices: deploy/compose.yaml starts every service in a container of
// its own, with a deployment file that the program takes and every secret that it names.
func TestComposeServices(t *testing.T) {
	var file stack
	if err := yaml.Unmarshal([]byte(read(t, "deploy/compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	d, err := stores.ReadDeployment("deploy/compose/footway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`env:(\w+)`).FindAllStringSubmatch(read(t, "deploy/compose/footway.yaml"), -1)
	for _, name := range stores.ServiceNames {
		s, ok := file.Services[name]
		if !ok {
			t.Errorf("no container runs %s", name)
			continue
		}
		if want := []string{"serve", name, "--config", "/etc/footway/footway.yaml"}; !slices.Equal(s.Command, want) {
			t.Errorf("%s is started with %q, want %q", name, s.Command, want)
		}
		if !slices.Equal(s.Profiles, []string{"all"}) {
			t.Errorf("%s has the profiles %q, want all", name, s.Profiles)
		}
		if errs := d.CheckServing([]string{name}); len(errs) > 0 {
			t.Errorf("the deployment file does not do for %s: %v", name, errs)
		}
		for _, m := range named {
			if s.Environment[m[1]] == "" {
				t.Errorf("%s lacks the variable %s, which the deployment file names", name, m[1])
			}
		}
	}
	for name, s := range file.Services {
		for other := range s.DependsOn {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s waits for %s, which there is not", name, other)
			}
		}
		if !strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest") {
			t.Errorf("%s runs image %q, want a version", name, s.Image)
		}
	}
}
