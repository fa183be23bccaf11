package twin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"footway/core/fault"
	"footway/core/runlog"
	"footway/sim/world"
)

// snapshotter is something whose state a checkpoint holds.
type snapshotter interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
}

// part is a snapshotter with its name in the checkpoint.
type part struct {
	name string
	snapshotter
}

// checkpoint is a run written down between two events. It holds what changes;
// scenario, settings and network are given again when it is resumed.
type checkpoint struct {
	Format   int               `json:"format"`
	Scenario string            `json:"scenario"`
	Seed     uint64            `json:"seed"`
	Network  string            `json:"network"` // hash of its content
	Inputs   string            `json:"inputs"`  // hash of scenario and settings
	Parts    map[string][]byte `json:"parts"`
}

const checkpointFormat = 1

// Checkpoint writes the run down as it is between two events. Begun but
// unfinished log files do not matter: a resumed run writes one of its own that goes on
// from there.
func (r *Run) Checkpoint() ([]byte, error) {
	if !r.begun {
		return nil, fault.New("twin.Checkpoint", fault.Conflict, "", "the run has not begun: step it first")
	}
	if len(r.elsewhere) > 0 {
		return nil, fault.New("twin.Checkpoint", fault.Conflict, "", "the run keeps %s outside of its memory, where a checkpoint cannot reach", strings.Join(r.elsewhere, ", "))
	}
	network := r.o.Network.Hash()
	inputs, err := r.o.inputs()
	if err != nil {
		return nil, err
	}
	c := checkpoint{
		Format: checkpointFormat, Scenario: r.o.Scenario.Name, Seed: r.o.Scenario.Seed,
		Network: network, Inputs: inputs, Parts: map[string][]byte{},
	}
	for _, p := range r.allParts() {
		b, err := p.Snapshot()
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %s: %w", p.name, err)
		}
		c.Parts[p.name] = b
	}
	return json.Marshal(c)
}

// inputs is the hash of all that a run is made from but its map and recording.
func (o *Options) inputs() (string, error) {
	b, err := json.Marshal([]any{o.Scenario, o.Settings})
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// Resume returns the run that Checkpoint wrote down, of the same options.
func Resume(ctx context.Context, o Options, written []byte) (*Run, error) {
	var c checkpoint
	if err := json.Unmarshal(written, &c); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	network := o.Network.Hash()
	inputs, err := o.inputs()
	if err != nil {
		return nil, err
	}
	switch {
	case c.Format != checkpointFormat:
		return nil, fmt.Errorf("checkpoint: format %d, this program reads %d", c.Format, checkpointFormat)
	case c.Scenario != o.Scenario.Name || c.Seed != o.Scenario.Seed:
		return nil, fmt.Errorf("checkpoint: of scenario %q with seed %d, not of %q with seed %d", c.Scenario, c.Seed, o.Scenario.Name, o.Scenario.Seed)
	case c.Network != network:
		return nil, fmt.Errorf("checkpoint: of another map (%.12s) than %q (%.12s)", c.Network, o.Network.Name, network)
	case c.Inputs != inputs:
		return nil, fmt.Errorf("checkpoint: of scenario %q with other parameters or settings; give those that it was written with", c.Scenario)
	}
	r, wo, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if r.log, err = runlog.Restore(o.Log, r.header(), r.logOptions(), c.Parts["log"]); err != nil {
		return nil, err
	}
	wo.Journal = r.log
	if r.world, err = world.Restore(wo, c.Parts["world"]); err != nil {
		return nil, err
	}
	r.resettle(r.world.Now())
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	for _, p := range append(r.parts, part{"kpi", r.collector}) {
		b, ok := c.Parts[p.name]
		if !ok {
			return nil, fmt.Errorf("checkpoint: it lacks %q", p.name)
		}
		if err := p.Restore(b); err != nil {
			return nil, fmt.Errorf("checkpoint: %s: %w", p.name, err)
		}
	}
	r.begun = true
	return r, nil
}

// allParts returns everything that a checkpoint holds.
func (r *Run) allParts() []namedSnapshot {
	all := []namedSnapshot{{"log", r.log.Snapshot}, {"world", r.world.Snapshot}, {"kpi", r.collector.Snapshot}}
	for _, p := range r.parts {
		all = append(all, namedSnapshot{p.name, p.Snapshot})
	}
	return all
}

type namedSnapshot struct {
	name     string
	Snapshot func() ([]byte, error)
}
