package dynamo

import (
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/core/fault"
	"footway/core/porttest"
)

// TestKilledServer kills the server and starts it again: what was acknowledged
// is there, what was not is told as unavailable, and the client goes on.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := backends.Own(t, backends.DynamoDB)
	o := options(t, server.URL())
	o.Retries.MaxBackoff = 10 * time.Millisecond
	db := openWith(t, o)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := NewFleetStore(db)
	r := porttest.SampleRobot("r1", "m")
	var err error
	if r.Revision, err = s.SaveRobot(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, err := s.SaveRobot(t.Context(), r); !fault.Is(err, fault.Unavailable) {
		t.Errorf("SaveRobot while the server is dead: %v, want it unavailable", err)
	}
	if err := db.Check(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Check while the server is dead: %v, want it unavailable", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Robot(t.Context(), "r1"); err != nil || got.Revision != r.Revision {
		t.Errorf("Robot after the restart = revision %d, %v, want %d", got.Revision, err, r.Revision)
	}
	if _, err := s.SaveRobot(t.Context(), r); err != nil {
		t.Errorf("SaveRobot after the restart: %v", err)
	}
}
