// Keeps the page of a recipient true: asks for its changing part whenever the stream says that
// something happened, asks from time to time where there is no stream, and says how old it is when
// it cannot ask at all.
const body = document.body, { link, lang } = body.dataset;
const now = document.getElementById('now'), stale = document.getElementById('stale');
const card = () => now.querySelector('.state');
const ended = () => card()?.dataset.ended === 'true' || ['expired', 'unknown'].includes(card()?.dataset.problem);

let asOf = Date.now(); // when the page was last true, on the reader's clock
let skew = Date.now() - Date.parse(document.getElementById('asof').dateTime); // between its clock and ours, and the way here

// --- the changing part

let asking = null, askAgain = false, wait = 0;

function put(html) {
  const focused = document.activeElement?.id, open = document.getElementById('cannot')?.open;
  now.innerHTML = html;
  if (open) document.getElementById('cannot')?.setAttribute('open', '');
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  asOf = Date.now();
  skew = asOf - Date.parse(document.getElementById('asof').dateTime);
  tick();
}

async function request(path, options = {}) {
  const a = await fetch(`${link}${path}?lang=${lang}`, { headers: { Accept: 'text/fragment' }, cache: 'no-store', signal: AbortSignal.timeout(12000), ...options });
  if (a.status >= 500) throw new Error(`answered ${a.status}`);
  return a.text();
}

async function ask() {
  if (asking) { askAgain = true; return asking; }
  asking = (async () => {
    try {
      put(await request('/now'));
      wait = 0;
      lost(false);
      look();
    } catch { lost(true); } finally { asking = null; }
    if (askAgain) { askAgain = false; ask(); }
  })();
  return asking;
}

// lost says how old the page is while nothing can be asked.
function lost(yes) {
  stale.hidden = !yes;
  body.classList.toggle('lost', yes);
  if (yes) {
    const text = navigator.onLine === false ? body.dataset.wordOffline : body.dataset.wordStale;
    stale.textContent = text.replace('%s', document.getElementById('asof').textContent);
    view?.stale(true);
    wait = Math.min(15000, wait ? wait * 1.6 : 1500);
    clearTimeout(retry);
    retry = setTimeout(ask, wait * (0.8 + 0.4 * Math.random()));
  }
}
let retry = 0;

// --- the stream

let stream = null, heard = Date.now(), broken = 0, opening = 0;

function listen() {
  clearTimeout(opening);
  stream?.close();
  if (ended()) return;
  stream = new EventSource(`${link}/events?after=${card()?.dataset.sequence ?? 0}`);
  const news = () => { heard = Date.now(); broken = 0; ask(); };
  for (const kind of ['state', 'custody', 'trouble', 'expectation', 'edited', 'ready', 'forgotten']) stream.addEventListener(kind, news);
  stream.onopen = () => { heard = Date.now(); broken = 0; if (!stale.hidden) ask(); };
  stream.addEventListener('robot', (e) => {
    heard = Date.now();
    const sight = JSON.parse(e.data);
    if (!stale.hidden) ask();
    const c = card();
    if (c) c.dataset.heard = sight.heard_at;
    drive(sight);
  });
  stream.onerror = () => {
    broken++;
    const gone = stream.readyState === EventSource.CLOSED; // it ended for good, or the browser gave up
    if (broken > 1 || gone) ask();
    if (gone && !ended()) { clearTimeout(opening); opening = setTimeout(listen, Math.min(30000, 2000 * broken) * (0.7 + 0.6 * Math.random())); }
  };
}

// Nothing may say that a connection is dead, so what is silent for too long is asked.
setInterval(() => {
  if (ended() || document.hidden) return;
  const quiet = Date.now() - Math.max(heard, asOf);
  if (quiet > (stream?.readyState === EventSource.OPEN ? 25000 : 5000)) ask();
}, 2500);

addEventListener('online', () => { wait = 0; listen(); ask(); });
addEventListener('offline', () => lost(true));
addEventListener('pageshow', (e) => { if (e.persisted) { listen(); ask(); } });
document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - asOf > 3000) { listen(); ask(); } });

// --- what counts down by itself

function tick() {
  const t = Date.now() - skew;
  for (const e of now.querySelectorAll('[data-until]')) {
    const s = Math.max(0, Math.floor((Date.parse(e.dataset.until) - t) / 1000));
    e.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
  }
}
setInterval(tick, 1000);
// Ranges are told from now on, so they are asked for again as time passes.
setInterval(() => { if (!ended() && !document.hidden && Date.now() - asOf > 28000) ask(); }, 10000);

// --- buttons

addEventListener('submit', async (e) => {
  const form = e.target, button = form.querySelector('button'), to = new URL(form.action);
  e.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  try {
    put(await request(to.pathname.slice(link.length), { method: 'POST' }));
    now.querySelector('[role=alert]')?.scrollIntoView({ block: 'nearest' });
  } catch { lost(true); } finally { button.disabled = false; }
});

// --- the map, which comes last

let view = null, last = null, coming = null;
const point = (p) => [p.lon_e7 / 1e7, p.lat_e7 / 1e7];

function drive(sight) {
  last = sight;
  if (!view) return;
  view.robot(sight ? point(sight.point) : null, { heard: sight ? Date.parse(sight.heard_at) : 0 });
  view.stale(!stale.hidden);
}

// look asks where everything is.
let looked = '';
async function look() {
  const phase = card()?.dataset.phase;
  if (failed && !ended()) showMap();
  if (!view || ended()) {
    if (ended()) document.getElementById('mapbox')?.remove();
    return;
  }
  try {
    const a = await fetch(`${link}/track`, { signal: AbortSignal.timeout(8000) });
    if (!a.ok) return;
    const t = await a.json();
    view.pin('pickup', point(t.pickup));
    view.pin('dropoff', point(t.dropoff));
    view.way((t.way ?? []).map(point));
    drive(t.robot ?? null);
    if (looked !== phase) { looked = phase; view.fit(); }
  } catch { /* the next look will do */ }
}

let failed = false, tries = 0;
async function showMap() {
  document.getElementById('showmap').hidden = true;
  document.getElementById('mapfailed').hidden = true;
  failed = false;
  coming ??= (async () => {
    try {
      // Browsers remember an address that could not be loaded, so each try has its own.
      const module = await import(tries++ ? `${body.dataset.map}?try=${tries}` : body.dataset.map);
      const { dataset: d } = body;
      const a = await fetch(`${link}/track`, { signal: AbortSignal.timeout(8000) });
      const t = await a.json();
      view = await module.openMap(document.getElementById('map'), {
        words: { robot: d.wordRobot, pickup: d.wordPickup, dropoff: d.wordDropoff, map: d.wordMap }, tiles: d.tiles, centre: point(t.dropoff),
      });
      await look();
      body.dataset.mapped = 'true';
    } catch {
      coming = null;
      failed = true; // and tried again with what comes next
      document.getElementById('mapfailed').hidden = false;
    }
  })();
}

function offerMap() {
  if (!body.dataset.map || ended() || !document.getElementById('map')) return;
  const button = document.getElementById('showmap'), net = navigator.connection;
  button.onclick = showMap;
  if (net?.saveData || /(^|-)2g$/.test(net?.effectiveType ?? '')) button.hidden = false;
  else new IntersectionObserver((seen, o) => { if (seen.some((s) => s.isIntersecting)) { o.disconnect(); showMap(); } }, { rootMargin: '200px' }).observe(document.getElementById('map'));
}

listen();
addEventListener('load', () => (globalThis.requestIdleCallback ?? setTimeout)(offerMap));
// The way gets shorter as the robot drives.
setInterval(() => { if (view && !document.hidden && stale.hidden) look(); }, 8000);
