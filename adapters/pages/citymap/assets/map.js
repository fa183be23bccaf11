// The map of a delivery: its two ends, the robot, and the way before it.
// MapLibre is loaded when the first map is opened, not before.
const here = new URL('.', import.meta.url);
let library;

function load() {
  library ??= new Promise((done, failed) => {
    const css = document.createElement('link');
    css.rel = 'stylesheet';
    css.href = new URL('vendor/maplibre-gl.css', here).href;
    const own = document.createElement('link');
    own.rel = 'stylesheet';
    own.href = new URL('map.css', here).href;
    const script = document.createElement('script');
    script.src = new URL('vendor/maplibre-gl-csp.js', here).href;
    script.onload = () => {
      globalThis.maplibregl.setWorkerUrl(new URL('vendor/maplibre-gl-csp-worker.js', here).href);
      done(globalThis.maplibregl);
    };
    script.onerror = () => { library = undefined; failed(new Error('the map could not be loaded')); };
    document.head.append(css, own, script);
  });
  return library;
}

// themeNow returns what the page looks like: as it was chosen, or as the system does.
function themeNow() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

const colours = {
  light: { way: '#1d4ed8', edge: '#ffffff' },
  dark: { way: '#7aa2ff', edge: '#0b0d10' },
};

// A point of our API, in units of 1e-7 degrees, as MapLibre wants it.
export const lonLat = (p) => [p.lon_e7 / 1e7, p.lat_e7 / 1e7];

const icons = {
  robot: '<svg viewBox="0 0 32 32" aria-hidden="true"><rect x="6" y="9" width="20" height="13" rx="5"/><path d="M21 9V4"/><circle cx="21" cy="3.5" r="1.5"/><circle cx="11" cy="24" r="2.6"/><circle cx="21" cy="24" r="2.6"/><path class="eye" d="M11.5 14.5v2M16.5 14.5v2"/></svg>',
  pickup: '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M7 14v11h18V14M5 13l3-6h16l3 6c0 2.4-3.6 2.4-3.6 0 0 2.4-3.7 2.4-3.7 0 0 2.4-3.7 2.4-3.7 0 0 2.4-3.7 2.4-3.7 0 0 2.4-3.6 2.4-3.6 0M13 25v-6h6v6"/></svg>',
  dropoff: '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M6 15.5 16 7l10 8.5M9 14v11h14V14M14 25v-6h4v6"/></svg>',
};

// badge makes what stands at a place on the map.
function badge(kind, label) {
  const e = document.createElement('div');
  e.className = 'fw-badge fw-' + kind;
  e.innerHTML = icons[kind];
  e.setAttribute('role', 'img');
  e.setAttribute('aria-label', label);
  return e;
}

// drawn waits until a map is seen. MapLibre asks for its style and its worker once, and says
// nothing when a worker does not come; so what stays silent for too long has failed.
function drawn(map) {
  let patience = 0, styled = false;
  return new Promise((done, failed) => {
    const wait = () => {
      clearTimeout(patience);
      patience = setTimeout(() => document.hidden ? wait() : failed(new Error('the map did not come')), 12000);
    };
    map.once('style.load', () => { styled = true; });
    map.on('error', (e) => { if (!styled) failed(e.error); });
    map.once('load', done);
    map.on('data', () => { if (patience) wait(); });
    wait();
  }).finally(() => { clearTimeout(patience); patience = 0; });
}

// openMap shows the map in an element. Words are the labels of what is on it:
// robot, pickup, dropoff, map. It fails, and leaves the element as it was, where the browser
// cannot draw maps, and where something of the map could not be loaded: then it may be tried again.
export async function openMap(element, { words = {}, tiles = '/tiles', centre, zoom = 15, padding = 56 } = {}) {
  const gl = await load();
  const absolute = (url) => ({ url: new URL(url, location.href).href });
  const map = new gl.Map({
    container: element, style: `${tiles}/${themeNow()}.json`, center: centre ?? [0, 0], zoom, maxZoom: 19, minZoom: 10,
    transformRequest: absolute, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, cooperativeGestures: false,
    fadeDuration: 150, validateStyle: false,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new gl.AttributionControl({ compact: false }), 'bottom-right');
  map.addControl(new gl.NavigationControl({ showCompass: false }), 'top-right');
  map.getCanvas().setAttribute('aria-label', words.map ?? 'Map');
  const view = new View(gl, map, words, padding, tiles);
  try {
    await drawn(map);
  } catch (e) {
    view.close();
    throw e;
  }
  view.dress();
  return view;
}

class View {
  #gl; #map; #words; #padding; #tiles; #markers = new Map(); #robots = new Map(); #way = []; #touched = false; #end = new AbortController();

  constructor(gl, map, words, padding, tiles) {
    this.#gl = gl; this.#map = map; this.#words = words; this.#padding = padding; this.#tiles = tiles;
    for (const what of ['dragstart', 'zoomstart']) map.on(what, (e) => { if (e.originalEvent) this.#touched = true; });
    const again = () => this.#dressAnew();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again, { signal: this.#end.signal });
    this.watcher = new MutationObserver(again);
    this.watcher.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.theme = themeNow();
  }

  // dress adds what is ours to the style that is shown.
  dress() {
    const map = this.#map, c = colours[this.theme];
    map.addSource('way', { type: 'geojson', data: this.#wayData() });
    const line = { 'line-cap': 'round', 'line-join': 'round' };
    map.addLayer({ id: 'way-edge', type: 'line', source: 'way', layout: line, paint: { 'line-color': c.edge, 'line-width': 8, 'line-opacity': 0.9 } });
    map.addLayer({ id: 'way', type: 'line', source: 'way', layout: line, paint: { 'line-color': c.way, 'line-width': 4.5 } });
  }

  #dressAnew() {
    if (themeNow() === this.theme) return;
    this.theme = themeNow();
    this.#map.setStyle(`${this.#tiles}/${this.theme}.json`, { diff: false });
    this.#map.once('style.load', () => this.dress());
  }

  #wayData() {
    return { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: this.#way.length > 1 ? this.#way : [] } };
  }

  // pin puts one end of the delivery on the map.
  pin(kind, at, label = this.#words[kind] ?? kind) {
    let m = this.#markers.get(kind);
    if (!m) {
      m = new this.#gl.Marker({ element: badge(kind, label) }).setLngLat(at).addTo(this.#map);
      this.#markers.set(kind, m);
    } else m.setLngLat(at);
  }

  // way shows the way before the robot; none takes it away.
  way(points) {
    this.#way = points ?? [];
    this.#map.getSource('way')?.setData(this.#wayData());
  }

  // robot moves a robot to where it was heard of at an instant; null takes it away.
  robot(at, { id = 'robot', heard = Date.now(), label = this.#words.robot ?? 'Robot' } = {}) {
    let r = this.#robots.get(id);
    if (!at) {
      r?.marker.remove();
      r?.glide.stop();
      this.#robots.delete(id);
      return;
    }
    if (!r) {
      const marker = new this.#gl.Marker({ element: badge('robot', label) }).setLngLat(at).addTo(this.#map);
      r = { marker, glide: new Glide((p) => marker.setLngLat(p)) };
      this.#robots.set(id, r);
    }
    r.glide.to(at, heard, this.#way);
  }

  // stale fades the robots, of which nothing was heard for a while.
  stale(yes) {
    for (const r of this.#robots.values()) r.marker.getElement().classList.toggle('fw-stale', yes);
  }

  // fit shows all that is on the map, unless somebody has moved it by hand.
  fit({ force = false } = {}) {
    if (this.#touched && !force) return;
    const all = new this.#gl.LngLatBounds();
    for (const m of this.#markers.values()) all.extend(m.getLngLat());
    for (const r of this.#robots.values()) all.extend(r.glide.goal);
    for (const p of this.#way) all.extend(p);
    if (all.isEmpty()) return;
    const slow = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#map.fitBounds(all, { padding: this.#padding, maxZoom: 17, duration: slow || !this.fitted ? 0 : 800 });
    this.fitted = true;
  }

  get map() { return this.#map; }

  close() {
    this.#end.abort();
    this.watcher.disconnect();
    for (const r of this.#robots.values()) r.glide.stop();
    this.#map.remove();
  }
}

// Glide moves a point from where it was heard of to where it was heard of next, in the time
// that lay between, along a way where it keeps to one. What is shown is thus true, and a
// moment old.

const metresPerDegree = 111195;

function metres(a, b) {
  const k = Math.cos((a[1] * Math.PI) / 180);
  return Math.hypot((b[0] - a[0]) * k, b[1] - a[1]) * metresPerDegree;
}

// along returns where the point nearest to p lies on a line, in metres from its
// beginning, and how far off it is.
function along(line, p) {
  let best = { at: 0, off: Infinity }, done = 0;
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1], b = line[i], k = Math.cos((a[1] * Math.PI) / 180);
    const dx = (b[0] - a[0]) * k, dy = b[1] - a[1], long = dx * dx + dy * dy;
    const t = long ? Math.min(1, Math.max(0, ((p[0] - a[0]) * k * dx + (p[1] - a[1]) * dy) / long)) : 0;
    const q = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t], off = metres(p, q), whole = metres(a, b);
    if (off < best.off) best = { at: done + whole * t, off };
    done += whole;
  }
  return best;
}

// between returns the part of a line from one length to another.
function between(line, from, to) {
  const out = [];
  let done = 0;
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1], b = line[i], whole = metres(a, b);
    const cut = (m) => { const t = whole ? (m - done) / whole : 0; return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]; };
    if (from >= done && from <= done + whole && !out.length) out.push(cut(from));
    if (out.length) {
      if (to <= done + whole) { out.push(cut(to)); return out; }
      out.push(b);
    }
    done += whole;
  }
  return out;
}

const near = 15; // metres off the way that still count as on it
const jump = 400; // metres that nobody wants to see it glide

class Glide {
  #show; #path = []; #length = 0; #began = 0; #takes = 0; #frame = 0; #shown; #heard = 0;

  constructor(show) { this.#show = show; }

  get goal() { return this.#path.at(-1) ?? this.#shown; }

  to(at, heard, way = []) {
    const gap = Math.min(5000, Math.max(400, heard - this.#heard));
    const first = !this.#shown;
    if (heard <= this.#heard) return;
    this.#heard = heard;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (first || still || metres(this.#shown, at) > jump) {
      this.stop();
      this.#path = [at];
      this.#set(at);
      return;
    }
    this.#path = this.#lead(this.#shown, at, way);
    this.#length = 0;
    for (let i = 1; i < this.#path.length; i++) this.#length += metres(this.#path[i - 1], this.#path[i]);
    this.#began = performance.now();
    this.#takes = gap;
    this.#frame ||= requestAnimationFrame(() => this.#step());
  }

  #lead(from, to, way) {
    if (way.length > 1) {
      const a = along(way, from), b = along(way, to);
      if (a.off < near && b.off < near && b.at > a.at) return [from, ...between(way, a.at, b.at), to];
    }
    return [from, to];
  }

  #set(p) { this.#shown = p; this.#show(p); }

  #step() {
    const t = Math.min(1, (performance.now() - this.#began) / this.#takes);
    this.#set(t === 1 ? this.#path.at(-1) : between(this.#path, this.#length * t, this.#length * t)[0] ?? this.#path.at(-1));
    this.#frame = t < 1 ? requestAnimationFrame(() => this.#step()) : 0;
  }

  stop() { cancelAnimationFrame(this.#frame); this.#frame = 0; }
}
