// Package tiles serves the map of the markets as vector tiles for browsers: tiles
// in Mapbox's format (MVT 2), the TileJSON that describes them, and a light and a dark style. It
// shows what a network is, and nothing of robots or deliveries. A style asks for
// no fonts or pictures from elsewhere: browsers draw the letters themselves.
package tiles

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"footway/core/maps"
	"footway/core/market"
)

// Zooms of the tiles; a browser enlarges the last for what is closer.
const (
	MinZoom = 9
	MaxZoom = 16
)

// Source is where the networks are. A maps.Store is one.
type Source interface {
	// Network returns the market's network, which nobody changes any more.
	Network(ctx context.Context, m market.ID) (*maps.Network, error)
	// State returns what changes on the market's map.
	State(ctx context.Context, m market.ID) (maps.State, error)
}

// Options change a Handler; the zero value is good.
type Options struct {
	// Path is where the handler is, without a slash at its end; "" is /tiles.
	Path string
	// CacheBytes is how many bytes of finished tiles are kept; 0 is 32 MiB.
	CacheBytes int
	// AtOnce is how many tiles are made at a time; 0 is 4. Who comes beside them waits.
	AtOnce int
}

// Handler serves the tiles of markets. It is safe for concurrent use.
type Handler struct {
	o       Options
	source  Source
	markets []market.ID
	cities  []*atlas // of markets, in their order
	cache   *cache
	makers  chan struct{}

	mu    sync.RWMutex
	areas []grounds // of markets, in their order
}

// Open reads the networks of markets and returns what serves them.
func Open(ctx context.Context, source Source, markets []market.ID, o Options) (*Handler, error) {
	if o.Path == "" {
		o.Path = "/tiles"
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.AtOnce == 0 {
		o.AtOnce = 4
	}
	h := &Handler{o: o, source: source, markets: slices.Clone(markets), cache: newCache(o.CacheBytes), makers: make(chan struct{}, o.AtOnce), areas: make([]grounds, len(markets))}
	for _, m := range markets {
		n, err := source.Network(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("tiles of market %s: %w", m, err)
		}
		h.cities = append(h.cities, newAtlas(n))
	}
	return h, h.Refresh(ctx)
}

// Refresh reads again what changes on the maps of the markets: their areas.
func (h *Handler) Refresh(ctx context.Context) error {
	for i, m := range h.markets {
		s, err := h.source.State(ctx, m)
		if err != nil {
			return fmt.Errorf("areas of market %s: %w", m, err)
		}
		h.mu.RLock()
		old := h.areas[i]
		h.mu.RUnlock()
		if old.known && old.revision == s.Revision {
			continue
		}
		h.mu.Lock()
		h.areas[i] = newGrounds(s)
		h.mu.Unlock()
		h.cache.clear()
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "want GET", http.StatusMethodNotAllowed)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), h.o.Path+"/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	switch rest {
	case "tiles.json":
		h.send(w, r, "application/json", finish(h.tileJSON()))
		return
	case "light.json":
		h.send(w, r, "application/json", finish(h.style(light)))
		return
	case "dark.json":
		h.send(w, r, "application/json", finish(h.style(dark)))
		return
	}
	at, ok := ParsePath(rest)
	if !ok {
		http.NotFound(w, r)
		return
	}
	body, err := h.tile(r.Context(), at)
	if err != nil {
		http.Error(w, "the tile could not be made", http.StatusServiceUnavailable)
		return
	}
	h.send(w, r, "application/vnd.mapbox-vector-tile", body)
}

// ParsePath reads the name of a tile, such as 14/8192/5461.mvt. It is written in one way only.
func ParsePath(path string) (maptile.Tile, bool) {
	name, ok := strings.CutSuffix(path, ".mvt")
	parts := strings.Split(name, "/")
	if !ok || len(parts) != 3 {
		return maptile.Tile{}, false
	}
	var n [3]uint32
	for i, p := range parts {
		if len(p) == 0 || len(p) > 6 || p[0] == '0' && len(p) > 1 {
			return maptile.Tile{}, false
		}
		for _, c := range []byte(p) {
			if c < '0' || c > '9' {
				return maptile.Tile{}, false
			}
			n[i] = 10*n[i] + uint32(c-'0')
		}
	}
	if n[0] < MinZoom || n[0] > MaxZoom || n[1] >= 1<<n[0] || n[2] >= 1<<n[0] {
		return maptile.Tile{}, false
	}
	return maptile.New(n[1], n[2], maptile.Zoom(n[0])), true
}

// finished is an answer: its bytes, which may be packed, and the tag of what they say.
type finished struct {
	body []byte
	zip  []byte // body packed; nil if that saves nothing
	tag  string
}

func finish(body []byte) finished {
	sum := sha256.Sum256(body)
	f := finished{body: body, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	if len(body) > 512 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(body)
		if err == nil && z.Close() == nil {
			f.zip = b.Bytes() // a buffer takes everything
		}
	}
	return f
}

func (f finished) size() int { return len(f.body) + len(f.zip) + 200 }

// send answers with f, or with 304 to who has it.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, kind string, f finished) {
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "public, max-age=300")
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", f.tag)
	if has(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if f.zip != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		body = f.zip
	}
	header.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away needs no answer
	}
}

// has reports whether If-None-Match names a tag.
func has(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

func acceptsGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// tile returns a tile: one that is there, or a new one.
func (h *Handler) tile(ctx context.Context, at maptile.Tile) (finished, error) {
	if f, ok := h.cache.get(at); ok {
		return f, nil
	}
	select {
	case h.makers <- struct{}{}:
	case <-ctx.Done():
		return finished{}, ctx.Err()
	}
	defer func() { <-h.makers }()
	if f, ok := h.cache.get(at); ok { // somebody made it meanwhile
		return f, nil
	}
	age := h.cache.age()
	body, err := h.draw(at)
	if err != nil {
		return finished{}, err
	}
	f := finish(body)
	h.cache.put(at, f, age)
	return f, nil
}

// draw makes a tile.
func (h *Handler) draw(at maptile.Tile) ([]byte, error) {
	sheet := newSheet(at)
	for _, c := range h.cities {
		c.draw(sheet)
	}
	h.mu.RLock()
	for i := range h.areas {
		h.areas[i].draw(sheet)
	}
	h.mu.RUnlock()
	return mvt.Marshal(sheet.layers())
}
