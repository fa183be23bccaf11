// The page of one order: its changing part follows the API's stream, and the map shows the robot.
import { base, tick } from './merchant.js';

const page = document.querySelector('[data-order]'), now = document.getElementById('now');
const { order, map, tiles } = page.dataset;
const api = `${base}/api/v1/deliveries/${order}`;
const card = () => now.querySelector('.state');
const ended = () => card()?.dataset.ended === 'true';
let view = null;

// --- the changing part

let asking = false, again = false;
async function ask() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    const a = await fetch(`${base}/orders/${order}/now`, { headers: { Accept: 'text/fragment' }, signal: AbortSignal.timeout(12000) });
    if (a.status === 401) location.reload();
    if (a.ok) put(await a.text());
  } catch { /* the stream comes again, and asks */ } finally { asking = false; }
  if (again) { again = false; ask(); }
}

function put(html) {
  const at = document.activeElement, actions = now.querySelector('.actions'), path = [];
  for (let e = at; e && e !== now && now.contains(e); e = e.parentElement) path.unshift([...e.parentElement.children].indexOf(e));
  const fresh = document.createElement('div');
  fresh.innerHTML = html;
  // Who does something there is left alone: what changed is seen when it is done.
  if (actions && (actions.contains(at) || actions.querySelector('details[open]'))) fresh.querySelector('.actions')?.replaceWith(actions);
  document.querySelector('main > .note.good')?.remove(); // it was said
  now.replaceChildren(...fresh.childNodes);
  if (path.length) keyboard(at, path);
  tick();
  if (ended()) stream?.close();
  look();
}

// keyboard goes back to where it was: to the same element, one of the same name, or one in the same place.
function keyboard(at, path) {
  let e = at.id ? document.getElementById(at.id) : null;
  if (now.contains(at)) e = at;
  if (!e) {
    e = now;
    for (const i of path) e = e?.children[i];
    if (e?.tagName !== at.tagName) return;
  }
  e.focus({ preventScroll: true });
}

let stream = null;
function listen() {
  if (ended()) return;
  stream?.close();
  stream = new EventSource(`${api}/events?robot=true&after=${card()?.dataset.sequence ?? 0}`);
  for (const kind of ['state', 'custody', 'trouble', 'expectation', 'edited', 'ready', 'forgotten']) stream.addEventListener(kind, ask);
  stream.addEventListener('robot', (e) => drive(JSON.parse(e.data)));
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED && !ended()) setTimeout(listen, 4000); };
}
listen();
addEventListener('online', () => { listen(); ask(); });
addEventListener('pageshow', (e) => { if (e.persisted) { listen(); ask(); } });
document.addEventListener('footway:card', (e) => { if (e.detail.id === order) ask(); });
// A lid that opens, and time alone, are no updates.
setInterval(() => { if (!ended() && !document.hidden) ask(); }, 10000);

// --- the map

const point = (p) => [p.lon_e7 / 1e7, p.lat_e7 / 1e7];

function drive(sight) {
  if (view) view.robot(sight ? point(sight.point) : null, { heard: sight ? Date.parse(sight.heard_at) : 0 });
}

let fitted = '';
async function look() {
  if (!view || ended()) return;
  try {
    const a = await fetch(`${api}/track`, { signal: AbortSignal.timeout(8000) });
    if (!a.ok) return;
    const t = await a.json();
    view.pin('pickup', point(t.pickup));
    view.pin('dropoff', point(t.dropoff));
    view.way((t.way ?? []).map(point));
    drive(t.robot ?? null);
    if (fitted !== t.state) { fitted = t.state; view.fit(); }
  } catch { /* the next look will do */ }
}

// Browsers remember an address that could not be loaded, so each try has its own.
const tries = 6;
async function openMap(n = 1) {
  const place = document.getElementById('map');
  if (!map || !place || ended()) return;
  try {
    const a = await fetch(`${api}/track`, { signal: AbortSignal.timeout(8000) });
    const t = await a.json(), module = await import(n > 1 ? `${map}?try=${n}` : map);
    view = await module.openMap(place, { words: { robot: 'Robot', pickup: 'Your store', dropoff: 'Customer', map: 'Map' }, tiles, centre: point(t.pickup) });
    await look();
    page.dataset.mapped = 'true';
  } catch {
    if (n < tries) setTimeout(openMap, 2000 * n, n + 1);
    else place.closest('section').remove(); // this browser draws no maps
  }
}
openMap();
setInterval(() => { if (!document.hidden) look(); }, 8000);
