package desk

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"footway/core/clock"
	"footway/core/maps"
	"footway/visualizer/scene"
)

// Source is where what is on the desk comes from. The desk only passes it on: whoever opens runs knows what the names are.
// One of Run, Scenario and Live is named; none is whatever the program shows by itself.
type Source struct {
	Run      string   // log or folder: a path, or an address in a browser
	Compare  string   // another run beside it
	Market   string   // map of the run, if it is not beside the log
	Scenario string   // that is simulated here
	Seed     string   // a number: of the scenario, instead of its own
	Settings []string // assignments over the scenario
	Live     string   // address of a running system
}

// Link is a view of a desk as somebody else can have it again: what is on it, when, and how it is looked at. Its
// text fits behind the # of an address, and between the ' of a shell.
type Link struct {
	Source
	After     clock.Duration // of the time, since the run began; negative: At says it
	At        clock.Time     // of a system that runs on; 0: wherever a desk begins, which is now if it is live
	Playing   bool
	Speed     float64    // how much faster than in the city time passes
	Centre    maps.Point // of the map on the screen
	Zoom      float64    // points to the metre; 0: all of the map is seen
	Layers    scene.Layers
	Selection scene.Selection
	Follow    bool // what is selected
	Theme     scene.Theme
	Panel     string   // that is open: layers, charts, tune, compare or search; "": none
	Split     bool     // two runs side by side
	Changes   []string // assignments such as dispatch.policy=nearest: of the fork, or that nobody has run yet
	// Fork is since when, after the run's beginning, the Changes hold in a run beside it: 0 is from the start; negative: there is no such run.
	Fork clock.Duration
}

// NewLink returns a link to how a desk is at first.
func NewLink() Link {
	return Link{After: -1, Speed: speeds[speedOf(usualSpeed)], Layers: scene.DefaultLayers, Fork: -1}
}

// Bounds of links.
const (
	linkVersion  = "1"
	maxLink      = 4096 // bytes: what every browser, chat and shell passes on
	maxLinkItems = 64   // settings, changes
	maxLinkSpan  = 1000 * 24 * clock.Hour
)

// linkKey is one key of a link's text: how it is told, and taken.
type linkKey struct {
	name string
	many bool // may be there more than once
	tell func(l *Link) []string
	take func(l *Link, text string) error
}

// word is a key of a text that is passed on as it is.
func word(name string, of func(*Link) *string) linkKey {
	return linkKey{
		name: name,
		tell: func(l *Link) []string { return some(*of(l)) },
		take: func(l *Link, text string) error { *of(l) = text; return nil },
	}
}

// list is a key of assignments.
func list(name string, of func(*Link) *[]string) linkKey {
	return linkKey{
		name: name, many: true,
		tell: func(l *Link) []string { return *of(l) },
		take: func(l *Link, text string) error {
			if path, _, ok := strings.Cut(text, "="); !ok || path == "" {
				return errors.New("want an assignment such as dispatch.policy=nearest")
			}
			*of(l) = append(*of(l), text)
			return nil
		},
	}
}

// flag is a key of a yes or no, told always or only if it is yes.
func flag(name string, always bool, of func(*Link) *bool) linkKey {
	return linkKey{
		name: name,
		tell: func(l *Link) []string {
			switch {
			case *of(l):
				return []string{"1"}
			case always:
				return []string{"0"}
			}
			return nil
		},
		take: func(l *Link, text string) error {
			if text != "0" && text != "1" {
				return errors.New("want 0 or 1")
			}
			*of(l) = text == "1"
			return nil
		},
	}
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// linkKeys are all keys, in the order in which they are told.
var linkKeys = []linkKey{
	{name: "v", tell: func(*Link) []string { return []string{linkVersion} }, take: takeVersion},
	word("run", func(l *Link) *string { return &l.Run }),
	word("compare", func(l *Link) *string { return &l.Compare }),
	word("market", func(l *Link) *string { return &l.Market }),
	word("scenario", func(l *Link) *string { return &l.Scenario }),
	{name: "seed", tell: func(l *Link) []string { return some(l.Seed) }, take: takeSeed},
	list("set", func(l *Link) *[]string { return &l.Settings }),
	word("live", func(l *Link) *string { return &l.Live }),
	{name: "at", tell: tellTime, take: takeTime},
	flag("play", true, func(l *Link) *bool { return &l.Playing }),
	{name: "speed", tell: tellSpeed, take: takeSpeed},
	{name: "map", tell: tellCamera, take: takeCamera},
	{name: "layers", tell: tellLayers, take: takeLayers},
	{name: "select", tell: func(l *Link) []string { return tellSelection(l, false) }, take: func(l *Link, text string) error { return takeSelection(l, text, false) }},
	{name: "follow", tell: func(l *Link) []string { return tellSelection(l, true) }, take: func(l *Link, text string) error { return takeSelection(l, text, true) }},
	{name: "theme", tell: func(l *Link) []string { return []string{themeNames[l.Theme]} }, take: takeTheme},
	{name: "panel", tell: func(l *Link) []string { return some(l.Panel) }, take: takePanel},
	flag("split", false, func(l *Link) *bool { return &l.Split }),
	{name: "fork", tell: tellFork, take: takeFork},
	list("change", func(l *Link) *[]string { return &l.Changes }),
}

// String returns the link's text.
func (l Link) String() string {
	var b strings.Builder
	for i := range linkKeys {
		for _, text := range linkKeys[i].tell(&l) {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(linkKeys[i].name)
			b.WriteByte('=')
			escape(&b, text)
		}
	}
	return b.String()
}

// escape writes text with everything as %XX that an address or a shell's quotes might take otherwise.
func escape(b *strings.Builder, text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~/:,@+=", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, "%%%02X", c)
		}
	}
}

// ParseLink reads a link's text. What it does not say is as in base.
func ParseLink(text string, base Link) (Link, error) {
	l := base
	l.Settings, l.Changes = slices.Clone(base.Settings), slices.Clone(base.Changes)
	if len(text) > maxLink {
		return l, fmt.Errorf("link: %d bytes; want at most %d", len(text), maxLink)
	}
	seen := make(map[string]int)
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, raw, _ := strings.Cut(part, "=")
		i := slices.IndexFunc(linkKeys, func(k linkKey) bool { return k.name == name })
		if i < 0 {
			return base, fmt.Errorf("link: there is no %q in links; want some of %s", clip(name), linkNames())
		}
		key := &linkKeys[i]
		seen[name]++
		switch n := seen[name]; {
		case n > 1 && !key.many:
			return base, fmt.Errorf("link: %s is there twice; want it once", name)
		case n > maxLinkItems:
			return base, fmt.Errorf("link: more than %d times %s", maxLinkItems, name)
		}
		value, err := unescape(raw)
		if err == nil {
			err = key.take(&l, value)
		}
		if err != nil {
			return base, fmt.Errorf("link: %s=%s: %w", name, clip(value), err)
		}
	}
	return l, l.check(seen)
}

// unescape reads what escape wrote; a + is a +.
func unescape(raw string) (string, error) {
	text, err := url.PathUnescape(raw)
	if err != nil {
		return raw, errors.New("want %XX only with two hexadecimal digits")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.QuoteToASCII(text), errors.New("want text in UTF-8 without control characters")
	}
	return text, nil
}

// check refuses what does not go together.
func (l *Link) check(seen map[string]int) error {
	named := 0
	for _, text := range [...]string{l.Run, l.Scenario, l.Live} {
		if text != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return errors.New("link: want one of run, scenario and live")
	case l.Compare != "" && l.Run == "":
		return errors.New("link: compare wants a run to compare with")
	case seen["select"] > 0 && seen["follow"] > 0:
		return errors.New("link: want one of select and follow")
	case l.Fork >= 0 && len(l.Changes) == 0:
		return errors.New("link: fork wants what changes: change=dispatch.policy=nearest")
	}
	return nil
}

func linkNames() string {
	var names []string
	for i := range linkKeys {
		names = append(names, linkKeys[i].name)
	}
	return strings.Join(names, ", ")
}

// clip shortens what is repeated in an error.
func clip(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func takeVersion(_ *Link, text string) error {
	if text != linkVersion {
		return errors.New("the link is of another version of this program; want v=" + linkVersion)
	}
	return nil
}

func takeSeed(l *Link, text string) error {
	if _, err := strconv.ParseUint(text, 10, 64); err != nil {
		return errors.New("want a whole number from 0 on")
	}
	l.Seed = text
	return nil
}

func tellTime(l *Link) []string {
	switch {
	case l.After >= 0:
		return []string{"+" + l.After.String()}
	case l.At != 0:
		return []string{l.At.String()}
	}
	return nil
}

func takeTime(l *Link, text string) error {
	if after, ok := strings.CutPrefix(text, "+"); ok {
		d, err := clock.ParseDuration(after)
		if err != nil || d < 0 || d > maxLinkSpan {
			return errors.New("want a time since the beginning such as +1h20m")
		}
		l.After, l.At = d, 0
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1971 {
		return errors.New("want a time since the beginning such as +1h20m, or an instant such as 2026-06-12T12:30:00Z")
	}
	l.After, l.At = -1, clock.Of(t)
	return nil
}

func tellSpeed(l *Link) []string {
	if l.Speed == usualSpeed {
		return nil
	}
	return []string{strconv.FormatFloat(l.Speed, 'g', -1, 64)}
}

func takeSpeed(l *Link, text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !slices.Contains(speeds[:], v) {
		return fmt.Errorf("want one of %v", speeds)
	}
	l.Speed = v
	return nil
}

func tellCamera(l *Link) []string {
	if l.Zoom == 0 {
		return nil
	}
	const degree = 1e7
	lat, lon := strconv.FormatFloat(float64(l.Centre.Lat)/degree, 'f', 7, 64), strconv.FormatFloat(float64(l.Centre.Lon)/degree, 'f', 7, 64)
	return []string{lat + "," + lon + "," + zoomText(l.Zoom)}
}

func zoomText(zoom float64) string { return strconv.FormatFloat(zoom, 'g', 5, 64) }

func takeCamera(l *Link, text string) error {
	i := strings.LastIndexByte(text, ',')
	zoom, err := strconv.ParseFloat(text[i+1:], 64)
	if i < 0 || err != nil || math.IsNaN(zoom) || zoom < scene.MinZoom || zoom > scene.MaxZoom {
		return fmt.Errorf("want latitude,longitude,zoom, the zoom from %v to %v points to the metre", scene.MinZoom, float64(scene.MaxZoom))
	}
	at, ok, err := maps.ParsePoint(text[:i])
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("want latitude,longitude,zoom such as 39.29,-76.61,1.2")
	}
	l.Centre, l.Zoom = at, zoom
	return nil
}

func tellLayers(l *Link) []string { return some(l.Layers.Since(scene.DefaultLayers)) }

func takeLayers(l *Link, text string) (err error) {
	l.Layers, err = scene.ParseLayers(text, scene.DefaultLayers)
	return err
}

func tellSelection(l *Link, follow bool) []string {
	if l.Selection.Kind == scene.Nothing || l.Follow != follow {
		return nil
	}
	return []string{l.Selection.Kind.String() + "/" + l.Selection.ID}
}

func takeSelection(l *Link, text string, follow bool) (err error) {
	l.Follow = follow
	l.Selection, err = scene.ParseSelection(text)
	return err
}

var themeNames = [...]string{scene.Light: "light", scene.Dark: "dark"}

func takeTheme(l *Link, text string) error {
	i := slices.Index(themeNames[:], text)
	if i < 0 {
		return errors.New("want light or dark")
	}
	l.Theme = scene.Theme(i)
	return nil
}

var panelNames = [...]string{layering: "layers", charting: "charts", tuning: "tune", comparing: "compare", searching: "search"}

func takePanel(l *Link, text string) error {
	if text == "" || !slices.Contains(panelNames[:], text) {
		return fmt.Errorf("want one of %s", strings.Join(panelNames[1:], ", "))
	}
	l.Panel = text
	return nil
}

func tellFork(l *Link) []string {
	if l.Fork < 0 {
		return nil
	}
	return []string{"+" + l.Fork.String()}
}

func takeFork(l *Link, text string) error {
	d, err := clock.ParseDuration(strings.TrimPrefix(text, "+"))
	if err != nil || d < 0 || d > maxLinkSpan {
		return errors.New("want a time since the beginning such as +1h20m, or +0s")
	}
	l.Fork = d
	return nil
}
