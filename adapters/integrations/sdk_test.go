package integrations_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// npmFolder is where the Makefile installs the clients that partners use.
const npmFolder = "../../.cache/partners/node_modules"

// run plays a script of testdata with a client that partners have, and returns what it says.
func (w *world) run(t *testing.T, client, script string, env ...string) []byte {
	t.Helper()
	node, err := exec.LookPath("node")
	modules, _ := filepath.Abs(npmFolder)
	if _, gone := os.Stat(filepath.Join(modules, filepath.FromSlash(client))); err != nil || gone != nil {
		text := "NOT RUN: " + client + " against the door: it wants node and " + npmFolder + "; make partners-install gets it"
		if os.Getenv("CI") == "true" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	source, err := os.Open(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	cmd := exec.CommandContext(ctx, node, "-")
	cmd.Stdin = source
	cmd.Env = append([]string{"NODE_PATH=" + modules, "BASE=" + w.server.URL, "HOME=" + t.TempDir()}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr.String(), w.logged)
	}
	return out
}

// TestDoorDashSDK drives the door with the client that partners of Drive have.
func TestDoorDashSDK(t *testing.T) {
	w := newWorld(t, nil)
	key, err := json.Marshal(map[string]string{"developer_id": w.acme.Developer, "key_id": w.acme.ID, "signing_secret": w.acme.Secret.Text()})
	if err != nil {
		t.Fatal(err)
	}
	out := w.run(t, "@doordash/sdk", "sdk.js", "KEY="+string(key))
	var told []struct {
		Step     string
		Status   int
		Error    string
		Delivery struct {
			ID     string `json:"external_delivery_id"`
			Status string `json:"delivery_status"`
			Fee    int
			Tip    int
			Reason string `json:"cancellation_reason"`
		}
	}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := []struct{ step, status, err string }{
		{"quote", "quote", ""}, {"accept", "created", ""}, {"get", "created", ""}, {"update", "created", ""}, {"cancel", "cancelled", ""}, {"create", "created", ""},
		{"unknown", "", "DoorDashUnknownDeliveryError"}, {"duplicate", "", "DoorDashDuplicatedDeliveryIdError"}, {"invalid", "", "DoorDashValidationFieldError"}, {"stranger", "", "DoorDashAuthorizationError"},
	}
	if len(told) != len(want) {
		t.Fatalf("%d steps, want %d: %s", len(told), len(want), out)
	}
	for i, s := range told {
		if s.Step != want[i].step || s.Delivery.Status != want[i].status || s.Error != want[i].err || s.Error == "" && s.Status != 200 {
			t.Errorf("step %d is %+v; want %+v", i+1, s, want[i])
		}
	}
	if fee := told[0].Delivery.Fee; fee <= 0 || told[2].Delivery.Fee != fee {
		t.Errorf("the fee is quoted as %d and then %d; want the same, above 0", fee, told[2].Delivery.Fee)
	}
	if told[1].Delivery.Tip != 600 || told[4].Delivery.Reason != "cancelled_by_creator" {
		t.Errorf("the tip is %d, and it was cancelled for %q; want 600, cancelled_by_creator", told[1].Delivery.Tip, told[4].Delivery.Reason)
	}
}
