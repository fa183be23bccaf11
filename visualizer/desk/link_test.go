package desk_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/maps"
	"footway/visualizer/desk"
	"footway/visualizer/scene"
)

// TestLinkTold: what links say, as text, and that it is read back.
func TestLinkTold(t *testing.T) {
	day := desk.NewLink()
	day.Run, day.Compare, day.After = "out/lunch rush", "b.fwlog", 80*clock.Minute
	full := desk.NewLink()
	full.Scenario, full.Seed, full.Settings = "lunch-rush", "7", []string{"fleet.robots=40", "world.weather=rain & wind"}
	full.After, full.Playing, full.Speed = 3_661_250, true, 0.5
	full.Centre, full.Zoom = maps.Point{Lat: 392_904_000, Lon: -766_122_001}, 1.25
	full.Layers = scene.DefaultLayers&^scene.ShowTrails | scene.HeatLate
	full.Selection, full.Follow = scene.Selection{Kind: scene.Robot, ID: "r7"}, true
	full.Theme, full.Panel, full.Split = scene.Dark, "tune", true
	full.Fork, full.Changes = 0, []string{"dispatch.policy=nearest"}
	live := desk.NewLink()
	live.Live, live.At = "https://ops.example.com", 1_781_267_400_250
	live.Selection = scene.Selection{Kind: scene.Delivery, ID: "d'1;#"}
	for _, c := range []struct {
		link desk.Link
		want string
	}{
		{desk.NewLink(), "v=1&play=0&theme=light"},
		{day, "v=1&run=out/lunch%20rush&compare=b.fwlog&at=+1h20m&play=0&theme=light"},
		{full, "v=1&scenario=lunch-rush&seed=7&set=fleet.robots=40&set=world.weather=rain%20%26%20wind&at=+1h1m1.25s&play=1&speed=0.5" +
			"&map=39.2904000,-76.6122001,1.25&layers=-trails,+heat-late&follow=robot/r7&theme=dark&panel=tune&split=1&fork=+0s&change=dispatch.policy=nearest"},
		{live, "v=1&live=https://ops.example.com&at=2026-06-12T12:30:00.250Z&play=0&select=delivery/d%271%3B%23&theme=light"},
	} {
		if got := c.link.String(); got != c.want {
			t.Errorf("told %s\nwant %s", got, c.want)
		}
		if got, err := desk.ParseLink(c.want, desk.NewLink()); err != nil || !reflect.DeepEqual(got, c.link) {
			t.Errorf("%s\nread   %+v, %v\nwant %+v", c.want, got, err, c.link)
		}
	}
	base := desk.NewLink()
	base.Theme, base.Playing = scene.Dark, true
	if l, err := desk.ParseLink("scenario=lunch-rush", base); err != nil || l.Theme != scene.Dark || !l.Playing || l.Scenario != "lunch-rush" {
		t.Errorf("by hand: %+v, %v; want what is not said as in the base", l, err)
	}
}

// TestLinkRefused: an error says what was wrong and what would be right.
func TestLinkRefused(t *testing.T) {
	for text, want := range map[string]string{
		"zoom=3":                       `there is no "zoom" in links; want some of v, run, compare,`,
		"v=2":                          "v=2: the link is of another version of this program; want v=1",
		"theme=blue":                   "theme=blue: want light or dark",
		"theme=dark&theme=dark":        "theme is there twice",
		"play=yes":                     "play=yes: want 0 or 1",
		"at=noon":                      "want a time since the beginning such as +1h20m",
		"at=+-1h":                      "want a time since the beginning such as +1h20m",
		"at=+99999h":                   "want a time since the beginning such as +1h20m",
		"speed=3":                      "speed=3: want one of [0.1 0.2 0.5 1 2 5",
		"map=1,2":                      "map=1,2: want latitude,longitude,zoom",
		"map=1":                        "map=1: want latitude,longitude,zoom",
		"map=91,0,1":                   "no place on Earth",
		"map=1,2,99":                   "the zoom from 0.01 to 40 points to the metre",
		"map=1,2,NaN":                  "the zoom from 0.01 to 40 points to the metre",
		"layers=+heat":                 `there is no layer "heat"; want some of names,`,
		"select=r7":                    "want robot/ID, delivery/ID",
		"select=tram/7":                "want robot/ID, delivery/ID",
		"panel=":                       "want one of layers, charts, tune, compare, search",
		"seed=-1":                      "want a whole number",
		"set=dispatch":                 "want an assignment such as dispatch.policy=nearest",
		"fork=+1h":                     "fork wants what changes",
		"run=a&live=b":                 "want one of run, scenario and live",
		"compare=b":                    "compare wants a run",
		"run=%zz":                      "%XX",
		"run=%ff":                      "UTF-8",
		"run=a%0ab":                    "without control characters",
		"select=dock/a&follow=dock/a":  "want one of select and follow",
		strings.Repeat("set=a=1&", 65): "more than 64 times set",
		strings.Repeat("x", 4097):      "4097 bytes; want at most 4096",
	} {
		_, err := desk.ParseLink(text, desk.NewLink())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v; want %q", text, err, want)
		}
	}
}

// safe is what needs no escape behind the # of an address, nor between the ' of a shell.
var safe = regexp.MustCompile(`^[A-Za-z0-9\-_.~/:,@+=&%]*$`)

// FuzzLink: what is read is told and read again as the same, in safe characters; nothing else is taken.
func FuzzLink(f *testing.F) {
	for _, s := range []string{
		"", "v=1&scenario=lunch-rush&at=+45m", "run=a&compare=b&map=39.29,-76.61,1.2&layers=-names,+heat-late", "live=1&select=robot/r%207", "fork=+1h&change=a=b%26c",
		"layers=robots,trails&speed=0.1&follow=merchant/3&panel=search&split=1", "at=2026-06-12T12:30:00.5+02:00&seed=18446744073709551615",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := desk.ParseLink(text, desk.NewLink())
		if err != nil {
			return
		}
		told := l.String()
		if !safe.MatchString(told) {
			t.Fatalf("%q is told as %q, which has more than safe characters", text, told)
		}
		if len(told) > 4096 {
			return // every letter may have become three
		}
		again, err := desk.ParseLink(told, desk.NewLink())
		if err != nil || again.String() != told {
			t.Fatalf("%q is told as %q, and read again (%v) as %q", text, told, err, again.String())
		}
	})
}

// TestShow: a desk that was put into the view of another looks the same and tells the same.
func TestShow(t *testing.T) {
	p := sit(t, func(o *desk.Options) { o.Simulator, o.Source.Run = &lab{t: t}, "out/rush" })
	for _, k := range []desk.Key{"T", "/"} {
		p.press(k)
	}
	p.frame(func(in *desk.Input) { in.Text = "r7" })
	p.press(desk.Enter, "1")
	p.press(desk.Up)
	p.press(desk.Plus)
	p.press("3")
	p.button("find a setting")
	p.frame(func(in *desk.Input) { in.Text = "dispatch.policy" })
	p.button("nearest")
	p.button("From here")
	p.press(desk.Escape, desk.Plus)
	p.press(desk.Space)
	p.frames(400)
	p.in.X, p.in.Y = 5, 400
	p.frames(3)
	link := p.d.Link()
	if link.Run != "out/rush" || link.Fork != 50*clock.Minute || len(link.Changes) != 1 || !link.Split || link.Theme != scene.Dark || link.Selection.ID != "r7" || link.Zoom == 0 {
		t.Fatalf("the desk tells %s", link)
	}
	read, err := desk.ParseLink(link.String(), desk.NewLink())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t}
	q := sit(t, func(o *desk.Options) { o.Simulator, o.Source, o.At = l, read.Source, 0 })
	if err := q.d.Show(read); err != nil {
		t.Fatal(err)
	}
	q.frames(500)
	if got := q.d.Link().String(); got != link.String() {
		t.Errorf("the desk tells  %s\nput there by     %s", got, link)
	}
	if l.after != 50*clock.Minute || len(l.asked) != 1 || l.asked[0] != "dispatch.policy=nearest" {
		t.Errorf("the simulator was asked for %v after %v", l.asked, l.after)
	}
	if len(q.pic.Panes) != len(p.pic.Panes) {
		t.Fatalf("%d panes; want %d", len(q.pic.Panes), len(p.pic.Panes))
	}
	for i, pane := range q.pic.Panes {
		for k, layer := range pane.Frame.Layers {
			want := p.pic.Panes[i].Frame.Layers[k]
			if len(layer.Texts) != len(want.Texts) || len(layer.Indices) != len(want.Indices) {
				t.Fatalf("pane %d, layer %s has %d texts and %d triangles; want %d and %d", i, layer.Name, len(layer.Texts), len(layer.Indices)/3, len(want.Texts), len(want.Indices)/3)
			}
			for n, x := range layer.Texts { // links have centimetres
				if y := want.Texts[n]; x.S != y.S || x.Color != y.Color || absf(x.X-y.X) > 0.5 || absf(x.Y-y.Y) > 0.5 {
					t.Errorf("pane %d, layer %s: %q at %.1f, %.1f; want %q at %.1f, %.1f", i, layer.Name, x.S, x.X, x.Y, y.S, y.X, y.Y)
				}
			}
		}
	}
}

// TestShowRefused: a link with a run that cannot be made is said to be one.
func TestShowRefused(t *testing.T) {
	p := sit(t, nil)
	l := desk.NewLink()
	l.Fork, l.Changes = 0, []string{"dispatch.policy=nearest"}
	if err := p.d.Show(l); err == nil || !strings.Contains(err.Error(), "cannot be made here") {
		t.Errorf("without a simulator: %v", err)
	}
}

// TestShare: what is copied begins with an address where there is one.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		source  desk.Source
		address string
		want    string
	}{
		{desk.Source{Run: "out/rush"}, "", "footway-view --view 'v=1&run=out/rush&at=+50m&play=0&theme=light'"},
		{desk.Source{Run: "rush.fwlog"}, "https://x/twin", "https://x/twin#v=1&run=rush.fwlog&at=+50m&play=0&theme=light"},
		{
			desk.Source{Scenario: "rush"}, "https://x/twin",
			"https://x/twin#v=1&scenario=rush&at=+50m&play=0&theme=light\nfootway-view --view 'v=1&scenario=rush&at=+50m&play=0&theme=light'",
		},
	} {
		p := sit(t, func(o *desk.Options) { o.Source, o.Address = c.source, c.address })
		p.press("K")
		p.button("Link")
		if r := p.d.Requests(); len(r) != 2 || r[0].Copy != c.want || r[1].Copy != c.want {
			t.Errorf("copied %v\nwant %s twice: by the key and by the button", r, c.want)
		}
	}
}
