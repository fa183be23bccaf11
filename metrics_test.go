package footway_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestMetricsAreThere: what the dashboard and the alerts ask for is in
// docs/metrics.md, and every alert has its section in the runbook.
func TestMetricsAreThere(t *testing.T) {
	known := quoted(read(t, "docs/metrics.md"))
	metric := regexp.MustCompile(`\bfootway_[a-z0-9_]+`)
	asked := func(where, expr string) {
		for _, name := range metric.FindAllString(expr, -1) {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if !known[name] && !known[base] {
				t.Errorf("%s asks for %s, which is not in docs/metrics.md", where, name)
			}
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Record      string            `yaml:"record"`
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy/prometheus/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	runbook := read(t, "docs/operators/runbook.md")
	alerts := map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			asked("alert "+r.Alert, r.Expr)
			if r.Alert == "" {
				continue
			}
			alerts[r.Alert] = true
			if !strings.Contains(runbook, "\n## "+r.Alert+"\n") {
				t.Errorf("alert %s has no section in docs/operators/runbook.md", r.Alert)
			}
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || !strings.HasSuffix(r.Annotations["runbook"], "runbook.md#"+strings.ToLower(r.Alert)) {
				t.Errorf("alert %s: want a severity, a summary and the address of its section in the runbook", r.Alert)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## ([A-Z]\w+)$`).FindAllStringSubmatch(runbook, -1) {
		if !alerts[m[1]] {
			t.Errorf("the runbook has a section %s, and there is no such alert", m[1])
		}
	}
	if len(alerts) < 10 {
		t.Errorf("%d alerts, want one for each promise", len(alerts))
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/footway.json")), &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			asked("panel "+p.Title, target.Expr)
		}
	}
	if len(board.Panels) < 10 {
		t.Errorf("the dashboard has %d panels", len(board.Panels))
	}
}
