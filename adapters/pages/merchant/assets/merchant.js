// What all pages of merchants do: hear of robots that are here, keep the board true, and send forms
// without leaving the page. Every form works without this, too.
import { ring, soundButton } from './sound.js';

const { base, live } = document.body.dataset;
const here = document.getElementById('here'), board = document.getElementById('board'), stale = document.getElementById('stale');
const title = document.title;

// --- parts of the page that the server renders

export function part(html) {
  const t = document.createElement('template');
  t.innerHTML = html.trim();
  return t.content.firstElementChild;
}

// swap replaces an element, and leaves the keyboard where it was.
function swap(old, fresh) {
  const path = [];
  for (let e = document.activeElement; e && e !== old && old.contains(e); e = e.parentElement) path.unshift([...e.parentElement.children].indexOf(e));
  const inside = old !== document.activeElement && old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (!inside) return;
  let e = fresh;
  for (const i of path) e = e?.children[i];
  (e ?? fresh.querySelector('button, a'))?.focus({ preventScroll: true });
}

// --- robots that are here

let blink = 0;
function announce() {
  const n = here.children.length;
  clearInterval(blink);
  document.title = title;
  if (!n) return;
  const text = n === 1 ? 'A robot is here' : `${n} robots are here`;
  let on = false;
  blink = setInterval(() => { on = !on; document.title = on ? `● ${text}` : title; }, 1000);
}

function setAlert(id, html) {
  const old = document.getElementById(`alert-${id}`);
  if (!html) {
    if (old) { old.remove(); announce(); }
    return;
  }
  const fresh = part(html);
  if (old) swap(old, fresh);
  else {
    here.append(fresh);
    ring();
    announce();
  }
  tick();
}

// What is scrolled to must not come to lie under the alerts.
if (here) new ResizeObserver(() => document.documentElement.style.setProperty('--alerts', `${here.offsetHeight}px`)).observe(here);

// A robot that still waits is told again.
setInterval(() => { if (here?.querySelector('.alert:not(.opened)')) ring(); }, 30000);

// --- the board

function place(card, news) {
  const column = board.querySelector(`.column[data-column="${news.column}"] .cards`);
  const next = [...column.children].find((c) => c.id !== card.id && Number(c.dataset.sort) > news.sort);
  column.insertBefore(card, next ?? null);
}

function count() {
  for (const c of board.querySelectorAll('.column')) {
    const n = c.querySelectorAll('.order').length;
    c.querySelector('.count').textContent = n;
    c.querySelector('.none').hidden = n > 0;
  }
}

function setCard(news) {
  const fresh = part(news.card), old = document.getElementById(fresh.id);
  if (old && old.dataset.column === news.column) swap(old, fresh);
  else {
    old?.remove();
    fresh.classList.add('fresh');
  }
  place(fresh, news);
  const done = board.querySelectorAll('.column[data-column="finished"] .order');
  for (const e of [...done].slice(12)) e.remove();
  count();
}

// --- the stream

let stream, lastHeard = Date.now(), lostAt = 0, retry = 0, sweeping = 0;

function lost(yes) {
  if (!stale || yes === Boolean(lostAt)) return;
  lostAt = yes ? Date.now() : 0;
  stale.hidden = !yes;
  document.body.classList.toggle('lost', yes);
  if (yes) stale.textContent = `The connection is gone. This is how it was at ${new Date(lastHeard).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' })}. Trying again…`;
}

function listen() {
  clearTimeout(retry);
  stream?.close();
  stream = new EventSource(live);
  const heard = () => { lastHeard = Date.now(); lost(false); };
  stream.onopen = heard;
  stream.addEventListener('reset', () => {
    heard();
    // All that is still there is told at once; what is not told again is gone.
    for (const e of document.querySelectorAll('.alert, .order:not([data-column="finished"])')) e.dataset.old = '';
    clearTimeout(sweeping);
    sweeping = setTimeout(() => {
      for (const e of document.querySelectorAll('.alert[data-old], .order[data-old]')) e.remove();
      if (board) count();
      announce();
    }, 4000);
  });
  stream.addEventListener('card', (e) => {
    heard();
    const news = JSON.parse(e.data);
    if (board && news.card) setCard(news);
    setAlert(news.id, news.alert);
    document.dispatchEvent(new CustomEvent('footway:card', { detail: news }));
  });
  stream.addEventListener('left', (e) => {
    heard();
    const { id } = JSON.parse(e.data);
    document.getElementById(`card-${id}`)?.remove();
    setAlert(id, '');
    if (board) count();
    document.dispatchEvent(new CustomEvent('footway:card', { detail: { id } }));
  });
  stream.addEventListener('out', () => location.reload());
  stream.onerror = () => {
    setTimeout(() => { if (stream.readyState !== EventSource.OPEN) lost(true); }, 2500);
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(listen, 3000 + 2000 * Math.random());
  };
}

if (live) {
  listen();
  addEventListener('online', listen);
  addEventListener('offline', () => lost(true));
  addEventListener('pageshow', (e) => { if (e.persisted) listen(); });
  soundButton(document.getElementById('sound'), document.getElementById('try'));
}

// --- what counts down by itself

export function tick() {
  const now = Date.now();
  for (const e of document.querySelectorAll('[data-until]')) {
    const s = Math.max(0, Math.floor((Number(e.dataset.until) - now) / 1000));
    const text = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
    if (e.textContent !== text) e.textContent = text;
  }
}
setInterval(tick, 500);

// --- forms that stay on the page

export async function send(form, button) {
  const data = new URLSearchParams(new FormData(form, button));
  const a = await fetch(button?.hasAttribute('formaction') ? button.formAction : form.action, { method: 'POST', body: data, headers: { Accept: 'text/fragment' }, signal: AbortSignal.timeout(15000) });
  if (a.status === 401) location.reload();
  return { status: a.status, html: await a.text() };
}

addEventListener('submit', async (e) => {
  const form = e.target, button = e.submitter;
  if (!form.matches('[data-part], [data-quiet]')) return;
  e.preventDefault();
  if (button?.getAttribute('aria-busy') === 'true') return;
  button?.setAttribute('aria-busy', 'true');
  try {
    const { status, html } = await send(form, button);
    if (form.matches('[data-quiet]')) {
      if (status < 400) form.remove();
      return;
    }
    const target = document.getElementById(form.dataset.part);
    if (!target || status === 204) return;
    if (target.id === 'now') {
      target.innerHTML = html;
      target.querySelector('[role=alert], .noted')?.scrollIntoView({ block: 'nearest' });
    } else swap(target, part(html));
    tick();
  } catch {
    lost(true);
  } finally {
    button?.removeAttribute('aria-busy');
  }
});

addEventListener('change', (e) => { if (e.target.matches('select[data-send]')) e.target.form.requestSubmit(); });

addEventListener('click', async (e) => {
  const button = e.target.closest('[data-copies]');
  if (!button) return;
  const field = button.parentElement.querySelector('[data-copy]');
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
  } catch { /* it is selected, and can be copied by hand */ }
});

// --- pages with more to do

if (document.getElementById('order')) import('./new.js');
if (document.querySelector('[data-order]')) import('./order.js');
export { base };
