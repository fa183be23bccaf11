// The form for a new order: addresses as somebody types, and the price as soon as all is known.
import { base, send } from './merchant.js';

const form = document.getElementById('order'), offer = document.getElementById('offer');
const address = document.getElementById('address'), list = document.getElementById('matches');
const lat = document.getElementById('lat'), lon = document.getElementById('lon');

// --- address search

let searching = 0, asked = 0, chosen = -1, found = [];

function close() {
  list.hidden = true;
  chosen = -1;
  address.setAttribute('aria-expanded', 'false');
  address.removeAttribute('aria-activedescendant');
}

function mark(i) {
  chosen = i;
  [...list.children].forEach((li, j) => li.setAttribute('aria-selected', String(i === j)));
  if (i >= 0) {
    address.setAttribute('aria-activedescendant', list.children[i].id);
    list.children[i].scrollIntoView({ block: 'nearest' });
  }
}

function take(i) {
  const m = found[i];
  if (!m) return;
  address.value = m.address;
  lat.value = m.point.lat_e7;
  lon.value = m.point.lon_e7;
  close();
  ask();
}

async function search() {
  const n = ++asked, query = address.value.trim();
  if (query.length < 3) return close();
  try {
    const a = await fetch(`${base}/api/v1/markets/${form.dataset.market}/address-searches`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query, limit: 6 }), signal: AbortSignal.timeout(6000),
    });
    if (!a.ok || n !== asked) return;
    found = (await a.json()).matches;
  } catch { return; }
  if (document.activeElement !== address) return;
  list.replaceChildren(...found.map((m, i) => {
    const li = document.createElement('li');
    li.id = `match-${i}`;
    li.setAttribute('role', 'option');
    li.setAttribute('aria-selected', 'false');
    li.textContent = m.address;
    li.onpointerdown = (e) => { e.preventDefault(); take(i); };
    return li;
  }));
  list.hidden = !found.length;
  address.setAttribute('aria-expanded', String(found.length > 0));
  chosen = -1;
}

address.addEventListener('input', () => {
  lat.value = lon.value = '';
  clearTimeout(searching);
  searching = setTimeout(search, 180);
});
address.addEventListener('keydown', (e) => {
  if (list.hidden) return;
  if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
    e.preventDefault();
    mark((chosen + (e.key === 'ArrowDown' ? 1 : -1) + found.length) % found.length);
  } else if (e.key === 'Enter') {
    e.preventDefault();
    take(Math.max(0, chosen));
  } else if (e.key === 'Escape') close();
});
address.addEventListener('blur', close);

// --- the price

let waiting = 0, asking = 0, typed = 0, answered = 0;

// complete reports whether there is enough to ask for a price.
const complete = () => lat.value !== '' && address.value.trim() !== '';

async function ask() {
  if (!complete()) return;
  clearTimeout(waiting);
  const n = ++asking, of = typed;
  offer.classList.add('asking');
  try {
    const { status, html } = await send(form);
    if (n !== asking || status >= 500) return;
    const held = offer.contains(document.activeElement) && document.activeElement.id;
    offer.innerHTML = html;
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
    answered = of;
  } catch { /* the button is still there */ } finally {
    if (n === asking) offer.classList.remove('asking');
  }
}

form.addEventListener('input', (e) => {
  typed++;
  if (e.target === address) return;
  clearTimeout(waiting);
  waiting = setTimeout(ask, 700);
});

// An alternative that was offered is taken by one click.
form.addEventListener('click', (e) => {
  const button = e.target.closest('[data-set]');
  if (!button) return;
  e.preventDefault();
  for (const pair of button.dataset.set.split(',')) {
    const [name, value] = pair.split('=');
    const field = form.elements[name];
    if (field.tagName === 'SELECT' && ![...field.options].some((o) => o.value === value)) field.add(new Option(button.textContent.trim().replace(/^Ready | instead$/g, ''), value));
    field.value = value;
  }
  ask();
});

// A price that has expired is asked for again, while somebody looks.
setInterval(() => {
  const accept = document.getElementById('accept');
  if (accept && !document.hidden && Number(accept.dataset.expires) - Date.now() < 5000) ask();
}, 2000);

// Enter in a field never orders: it leads to the button that does.
form.addEventListener('keypress', (e) => {
  const accept = document.getElementById('accept');
  if (e.key !== 'Enter' || e.target.tagName !== 'INPUT' || !accept) return;
  e.preventDefault();
  accept.focus();
});

form.addEventListener('submit', (e) => {
  if (e.submitter?.id === 'ask') {
    e.preventDefault();
    if (complete()) ask();
    else search().then(() => { if (found.length) take(0); else form.submit(); });
    return;
  }
  const accept = document.getElementById('accept');
  if (!accept || e.submitter !== accept) return;
  if (typed !== answered) {
    // The price is of what the form was: it is asked for once more, and ordered if it is still the same.
    e.preventDefault();
    const was = accept.textContent;
    ask().then(() => {
      const fresh = document.getElementById('accept');
      if (typed === answered && fresh?.textContent === was) form.requestSubmit(fresh);
      else fresh?.focus();
    });
    return;
  }
  setTimeout(() => { accept.disabled = true; });
});
if (complete() && !document.getElementById('accept') && !offer.querySelector('.refusal')) ask();
