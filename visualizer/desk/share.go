package desk

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/visualizer/scene"
)

// Link tells how the desk is looked at.
func (d *Desk) Link() Link {
	l := NewLink()
	l.Source = d.o.Source
	from, _ := d.span()
	switch {
	case d.o.Live == nil:
		l.After = d.t.Sub(from)
	case !d.atEnd:
		l.At = d.t
	}
	l.Playing, l.Speed = d.playing, speeds[d.speed]
	l.Layers, l.Theme, l.Split = d.view.Layers, d.view.Theme, d.split
	l.Selection = d.same(0, d.view.Selection)
	l.Follow = d.follow && l.Selection.Kind != scene.Nothing
	l.Panel = panelNames[d.panel]
	if !d.cam.home {
		l.Centre = d.sides[0].scene.PointAt(scene.Place{X: float32(d.cam.to.x), Y: float32(d.cam.to.y)})
		l.Zoom, _ = strconv.ParseFloat(zoomText(d.cam.to.zoom), 64) // which it has just written
	}
	changes := d.changes
	if d.made.future != nil {
		l.Fork, changes = d.made.after, d.made.changes
	}
	l.Changes = assignments(changes)
	return l
}

// Show makes the desk look the way a link says, as far as it is about what is on the desk: the new run of a link is made. What the
// link is of is not opened.
func (d *Desk) Show(l Link) error {
	changes, err := parseChanges(l.Changes)
	if err != nil {
		return err
	}
	d.view.Layers, d.view.Theme, d.follow = l.Layers, l.Theme, l.Follow
	d.choose(0, l.Selection)
	d.panel = panel(max(slices.Index(panelNames[:], l.Panel), 0))
	d.changes = changes
	if l.Fork >= 0 {
		if d.o.Simulator == nil {
			return errors.New("the link has a new run, which cannot be made here" + d.why())
		}
		if err := d.fork(l.Fork, changes); err != nil {
			return err
		}
	}
	from, _ := d.span()
	switch {
	case l.After >= 0:
		d.seek(from.Add(l.After))
	case l.At != 0:
		d.seek(l.At)
	}
	d.playing, d.speed = l.Playing, speedOf(l.Speed)
	d.split = l.Split && len(d.sides) > 1
	d.sized, d.refit, d.drawn = false, false, false
	if l.Zoom > 0 {
		at := d.sides[0].scene.PlaceAt(l.Centre)
		d.cam.to = pose{float64(at.X), float64(at.Y), l.Zoom}
		d.cam.keep()
		d.cam.at, d.cam.home, d.sized = d.cam.to, false, true
	}
	return nil
}

func assignments(changes []change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.path+"="+c.value)
	}
	return out
}

func parseChanges(texts []string) ([]change, error) {
	var out []change
	for _, text := range texts {
		path, value, ok := strings.Cut(text, "=")
		if !ok || path == "" {
			return nil, errors.New(text + ": want an assignment such as dispatch.policy=nearest")
		}
		out = append(out, change{path, value})
	}
	return out, nil
}

// share copies what shows the same again: a link where the desk has an address, and the commands.
func (d *Desk) share() {
	l := d.Link()
	var lines []string
	if d.o.Address != "" {
		lines = append(lines, d.o.Address+"#"+l.String())
	}
	if d.o.Address == "" || l.Run == "" && l.Live == "" { // what an address has names for, a command line has not
		lines = append(lines, "footway-view --view '"+l.String()+"'")
	}
	if d.made.future != nil {
		lines = append(lines, d.made.future.Command())
	}
	d.outbox = append(d.outbox, Request{Copy: strings.Join(lines, "\n")})
	d.say("copied: %s", map[bool]string{true: "a link to this view", false: "a command line that shows this again"}[d.o.Address != ""])
}

// made is the run that was made last, and how.
type made struct {
	future  Future
	after   clock.Duration
	changes []change
}
