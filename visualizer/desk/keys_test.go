package desk

import (
	"strings"
	"testing"

	"footway/visualizer/scene"
)

// TestHelpListsEveryKey: what a key does is written beside its name, and no key does two things.
func TestHelpListsEveryKey(t *testing.T) {
	names := map[Key]string{Left: "←", Right: "→", Up: "↑", Down: "↓", Escape: "Esc", Minus: "−"}
	shown, taken := "", make(map[Key]bool)
	for _, s := range shortcuts {
		if s.show != "" {
			shown = s.show
			if s.what == "" {
				t.Errorf("nothing is said of %s", s.show)
			}
		}
		name := names[s.key]
		if name == "" {
			name = string(s.key)
		}
		if !strings.Contains(" "+shown+" ", " "+name+" ") {
			t.Errorf("key %s stands under %q, which does not name it", s.key, shown)
		}
		if taken[s.key] {
			t.Errorf("key %s does two things", s.key)
		}
		taken[s.key] = true
	}
}

// TestChartsWithoutColour: lines of one chart differ in more than their colour.
func TestChartsWithoutColour(t *testing.T) {
	d := &Desk{}
	d.ui.pal = scene.PaletteOf(scene.Light)
	for _, c := range d.charts() {
		had := make(map[dash]string)
		for _, l := range c.lines {
			if other := had[l.dash]; other != "" {
				t.Errorf("%s: %s and %s are dashed alike", c.title, other, l.name)
			}
			had[l.dash] = l.name
		}
	}
}
