package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
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
	desk   *desk.Desk
	last   window.Seen
}

func newPage() *page { return &page{window: js.Global()} }

// tell shows what went wrong where there is no desk to show it.
func (p *page) tell(text string) {
	if say := p.window.Get("footwaySay"); say.Type() == js.TypeFunction {
		say.Invoke(text)
	}
}

func (p *page) run() error {
	l, err := p.look()
	if err != nil {
		return err
	}
	o := window.Options{Host: p, Dropped: func(files fs.FS) window.Opening { return dropped(files, l) }}
	o.Theme = l.Theme
	ctx := context.Background()
	switch {
	case l.Live != "":
		p.openLive(ctx, &o, l)
	case l.Run != "":
		o.Title, o.Opening = l.Run, p.openRun(ctx, l)
	default:
		o.Title, o.Opening = l.Source.Scenario, demo(l)
	}
	o.Seen = p.seen
	return window.Run(o)
}

// look reads the address's fragment. What it does not say is as the browser likes it.
func (p *page) look() (look, error) {
	at := p.window.Get("location")
	l := look{Link: desk.NewLink(), address: at.Get("origin").String() + at.Get("pathname").String()}
	if p.window.Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool() {
		l.Theme = scene.Dark
	}
	text := p.keepToken(strings.TrimPrefix(at.Get("hash").String(), "#"))
	var err error
	if l.Link, err = desk.ParseLink(text, l.Link); err != nil {
		return l, err
	}
	if l.Run == "" && l.Live == "" && l.Source.Scenario == "" {
		l.Source.Scenario = "lunch-rush"
		l.Playing = l.Playing || l.After < 0
	}
	return l, nil
}

// openLive prepares to watch the server that the page comes from.
func (p *page) openLive(ctx context.Context, o *window.Options, l look) {
	server := p.window.Get("location").Get("origin").String()
	w := watch(ctx, server, p.token())
	l.Live = "1" // the page's own server, wherever that is
	w.onDesk(o, server, func() (*maps.Network, error) { return p.fetchMap(ctx, server+"/twin/market.fwnet") }, l)
}

// Where the page keeps a token for the session.
const tokenKey = "footway-token"

// keepToken takes a token out of the fragment, which is not sent to any server, and out of the address.
func (p *page) keepToken(fragment string) string {
	var rest []string
	for part := range strings.SplitSeq(fragment, "&") {
		token, ok := strings.CutPrefix(part, "token=")
		if !ok {
			rest = append(rest, part)
			continue
		}
		if plain, err := url.QueryUnescape(token); err == nil {
			token = plain
		}
		p.window.Get("sessionStorage").Call("setItem", tokenKey, token)
	}
	left := strings.Join(rest, "&")
	if left != fragment {
		p.window.Get("history").Call("replaceState", js.Null(), "", "#"+left)
	}
	return left
}

// token returns what the page keeps for the session, if it has anything.
func (p *page) token() func(context.Context) (string, error) {
	kept := p.window.Get("sessionStorage").Call("getItem", tokenKey)
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
		return later(func() (*opened, error) { return p.fetchRun(ctx, name, l.Market) })
	}
	first, second := get(l.Run), get(l.Compare)
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
		d, err = file(a, beside, l)
		return d, false, 1, err
	}}}}
}

// fetchRun gets a log and the map beside it.
func (p *page) fetchRun(ctx context.Context, name, market string) (*opened, error) {
	base, err := url.Parse(p.window.Get("location").Get("href").String())
	if err != nil {
		return nil, err
	}
	log, err := base.Parse(name)
	if err != nil {
		return nil, err
	}
	b, err := fetch(ctx, log.String(), maxLog)
	if err != nil {
		return nil, err
	}
	x := &opened{name: name}
	if x.log, err = runlog.Open(bytes.NewReader(b), int64(len(b)), &zstd.Codec{}); err != nil {
		return nil, err
	}
	if market == "" {
		market = "market.fwnet" // beside it
	}
	address, err := log.Parse(market)
	if err != nil {
		return nil, err
	}
	if x.net, err = p.fetchMap(ctx, address.String()); err != nil {
		return nil, err
	}
	x.scenario, x.wrong = p.fetchScenario(ctx, log)
	return x, nil
}

// fetchScenario gets what a run was made of, if that is beside it, and the recording that it names.
func (p *page) fetchScenario(ctx context.Context, log *url.URL) (*source, error) {
	beside := func(path string) (string, []byte, error) {
		at, err := log.Parse(path)
		if err != nil {
			return "", nil, err
		}
		b, err := fetch(ctx, at.String(), maxLog)
		return at.String(), b, err
	}
	at, text, err := beside(scenarioFile)
	if errors.Is(err, errNotThere) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	return read(at, text, func(path string) ([]byte, error) { _, b, err := beside(path); return b, err })
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
	Link   string                `json:"link"` // that shows the same, without an address
	Draws  int                   `json:"draws"`
	Frames int                   `json:"frames"`
	Ticks  int                   `json:"ticks"`
	TookMS float64               `json:"took_ms"`
	Spot   []float32             `json:"spot"`   // of a robot that can be clicked on
	Labels map[string][2]float32 `json:"labels"` // of controls
}

func (p *page) status() pageStatus {
	s := pageStatus{
		Status: p.desk.Status(), Link: p.desk.Link().String(), Draws: p.last.Draws, Frames: p.last.Frames, Ticks: p.last.Ticks, TookMS: float64(p.last.Took.Microseconds()) / 1000,
		Labels: p.desk.Labels(),
	}
	if x, y, ok := p.desk.Spot(); ok {
		s.Spot = []float32{x, y}
	}
	return s
}

// Copy implements window.Host.
func (p *page) Copy(text string) error {
	clipboard := p.window.Get("navigator").Get("clipboard")
	if clipboard.IsUndefined() {
		return errors.New("this page may not use the clipboard: it wants https")
	}
	clipboard.Call("writeText", text)
	return nil
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
