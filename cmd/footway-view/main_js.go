package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"syscall/js"
	"time"
	_ "time/tzdata" // browsers have no files of time zones

	"footway/adapters/zstd"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/desk"
	"footway/visualizer/scene"
	"footway/visualizer/window"
)

func main() {
	p := newPage()
	if err := p.run(); err != nil {
		p.tell(err.Error())
	}
}

// page is the browser's page that the desk is on.
type page struct {
	window js.Value
	link   url.Values // of the address's fragment and query
	desk   *desk.Desk
	last   window.Seen
}

func newPage() *page {
	w := js.Global()
	l := w.Get("location")
	text := strings.TrimPrefix(l.Get("search").String(), "?") + "&" + strings.TrimPrefix(l.Get("hash").String(), "#")
	link, err := url.ParseQuery(text)
	if err != nil {
		link = url.Values{}
	}
	return &page{window: w, link: link}
}

// tell shows what went wrong where there is no desk to show it.
func (p *page) tell(text string) {
	if say := p.window.Get("footwaySay"); say.Type() == js.TypeFunction {
		say.Invoke(text)
	}
}

func (p *page) run() error {
	l := look{
		at: p.link.Get("at"), selected: p.link.Get("select"), follow: p.link.Get("follow"),
		dark: p.link.Get("theme") == "dark", play: p.link.Get("play") == "1",
	}
	if p.link.Get("theme") == "" {
		l.dark = p.window.Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool()
	}
	o := window.Options{Host: p}
	if l.dark {
		o.Theme = scene.Dark
	}
	ctx := context.Background()
	switch {
	case p.link.Get("live") != "":
		p.openLive(ctx, &o, l)
	case p.link.Get("run") != "":
		o.Title, o.Opening = p.link.Get("run"), p.openRun(ctx, l)
	default:
		name := p.link.Get("scenario")
		if name == "" {
			name = "lunch-rush"
		}
		set := p.link["set"]
		if seed := p.link.Get("seed"); seed != "" {
			set = append(set, "seed="+seed)
		}
		if !p.link.Has("play") && l.at == "" {
			l.play = true
		}
		o.Title, o.Opening = name, demo(name, set, l)
	}
	o.Seen = p.seen
	return window.Run(o)
}

// openLive prepares to watch the server that the page comes from.
func (p *page) openLive(ctx context.Context, o *window.Options, l look) {
	server := p.window.Get("location").Get("origin").String()
	w := watch(ctx, server, p.token())
	network := later(func() (*maps.Network, error) { return p.fetchMap(ctx, server+"/twin/market.fwnet") })
	o.Title, o.Opening = server, liveOpening(server, w, network, l)
	o.Before = w.before(func() window.Opening { return liveOpening(server, w, network, l) })
}

// token returns what the page keeps for the session, if it has anything: the fragment's token is not
// sent to any server, and is taken out of the address.
func (p *page) token() func(context.Context) (string, error) {
	store := p.window.Get("sessionStorage")
	if t := p.link.Get("token"); t != "" {
		store.Call("setItem", "footway-token", t)
		p.link.Del("token")
		p.window.Get("history").Call("replaceState", js.Null(), "", "#"+p.link.Encode())
	}
	kept := store.Call("getItem", "footway-token")
	if kept.IsNull() {
		return nil
	}
	return func(context.Context) (string, error) { return kept.String(), nil }
}

func (p *page) fetchMap(ctx context.Context, address string) (*maps.Network, error) {
	b, err := fetch(ctx, address, maxMap)
	if err != nil {
		return nil, err
	}
	return maps.Decode(bytes.NewReader(b), &zstd.Codec{})
}

// openRun plays a log from an address, and another beside it.
func (p *page) openRun(ctx context.Context, l look) window.Opening {
	get := func(name string) func() (*opened, error) {
		if name == "" {
			return func() (*opened, error) { return &opened{}, nil }
		}
		return later(func() (*opened, error) { return p.fetchRun(ctx, name) })
	}
	first, second := get(p.link.Get("run")), get(p.link.Get("compare"))
	var a, b *opened
	return &stages{steps: []stage{{"fetching the run", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
		if a == nil {
			a, err = first()
		}
		if b == nil && err == nil {
			b, err = second()
		}
		if a == nil || b == nil || err != nil {
			return nil, true, 0, err
		}
		beside := b
		if b.log == nil {
			beside = nil
		} else if a.net.Hash() != b.net.Hash() {
			return nil, false, 0, errors.New("the two runs are on different maps")
		}
		d, err = file(a, beside, a.simulator(), l)
		return d, false, 1, err
	}}}}
}

// fetchRun gets a log and the map beside it.
func (p *page) fetchRun(ctx context.Context, name string) (*opened, error) {
	base, err := url.Parse(p.window.Get("location").Get("href").String())
	if err != nil {
		return nil, err
	}
	address, err := base.Parse(name)
	if err != nil {
		return nil, err
	}
	b, err := fetch(ctx, address.String(), maxLog)
	if err != nil {
		return nil, err
	}
	x := &opened{name: name}
	if x.log, err = runlog.Open(bytes.NewReader(b), int64(len(b)), &zstd.Codec{}); err != nil {
		return nil, err
	}
	beside := p.link.Get("market")
	if beside == "" {
		beside = "market.fwnet"
	}
	if address, err = address.Parse(beside); err != nil {
		return nil, err
	}
	x.net, err = p.fetchMap(ctx, address.String())
	return x, err
}

// seen tells the page how the desk stands: window.footway, which nobody can change anything by.
func (p *page) seen(d *desk.Desk, s window.Seen) error {
	p.last = s
	if d == nil || p.desk == d {
		return nil
	}
	p.desk = d
	status := js.FuncOf(func(js.Value, []js.Value) any {
		text, err := json.Marshal(p.status())
		if err != nil {
			return err.Error()
		}
		return string(text)
	})
	object := p.window.Get("Object").Call("freeze", map[string]any{"status": status})
	p.window.Set("footway", object)
	if ready := p.window.Get("footwayReady"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	return nil
}

// pageStatus is what window.footway.status() tells, as JSON.
type pageStatus struct {
	desk.Status
	Draws  int                   `json:"draws"`
	Frames int                   `json:"frames"`
	Ticks  int                   `json:"ticks"`
	TookMS float64               `json:"took_ms"`
	Spot   []float32             `json:"spot"`   // of a robot that can be clicked on
	Labels map[string][2]float32 `json:"labels"` // of controls
}

func (p *page) status() pageStatus {
	s := pageStatus{
		Status: p.desk.Status(), Draws: p.last.Draws, Frames: p.last.Frames, Ticks: p.last.Ticks, TookMS: float64(p.last.Took.Microseconds()) / 1000,
		Labels: p.desk.Labels(),
	}
	if x, y, ok := p.desk.Spot(); ok {
		s.Spot = []float32{x, y}
	}
	return s
}

// Copy implements window.Host. A link to the same view goes before the command.
func (p *page) Copy(text string) error {
	clipboard := p.window.Get("navigator").Get("clipboard")
	if clipboard.IsUndefined() {
		return errors.New("this page may not use the clipboard: it wants https")
	}
	clipboard.Call("writeText", p.address()+"\n"+text)
	return nil
}

// address returns a link to what is seen.
func (p *page) address() string {
	link := url.Values{}
	for _, name := range []string{"run", "compare", "market", "scenario", "seed", "set", "live"} {
		if v, ok := p.link[name]; ok {
			link[name] = v
		}
	}
	if p.desk != nil {
		s := p.desk.Status()
		if link.Get("live") == "" {
			link.Set("at", "+"+s.After.String())
		}
		if s.Selection != "" {
			link.Set("select", s.Selection)
		}
		if s.Dark {
			link.Set("theme", "dark")
		}
	}
	l := p.window.Get("location")
	return l.Get("origin").String() + l.Get("pathname").String() + "#" + link.Encode()
}

// Save implements window.Host: the browser downloads the file.
func (p *page) Save(name string, data []byte) error {
	array := p.window.Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	blob := p.window.Get("Blob").New([]any{array})
	address := p.window.Get("URL").Call("createObjectURL", blob)
	a := p.window.Get("document").Call("createElement", "a")
	a.Set("href", address)
	a.Set("download", name)
	a.Call("click")
	p.window.Get("URL").Call("revokeObjectURL", address)
	return nil
}
