// Shows the picture that the server draws, look after look. What stays the same stays in the page, with the focus and
// a screen reader's place; the address names the chosen box.

const picture = document.querySelector('[data-picture]');
const find = name => document.querySelector(`[data-${name}]`);
const state = find('state');
const shown = document.createElement('template');

/** Turns one element into the other. Elements are the same if their names and keys are. */
function morph(from, to) {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const known = new Map();
  for (const child of from.children) if (child.dataset.key) known.set(child.dataset.key, child);
  let place = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = next.dataset?.key;
    const before = key ? known.get(key) : place;
    const isSame = before && before.nodeName === next.nodeName && before.dataset?.key === key;
    if (!isSame) {
      from.insertBefore(next, place);
      continue;
    }
    if (before === place) place = place.nextSibling;
    else from.insertBefore(before, place);
    if (before.nodeType === Node.ELEMENT_NODE) morph(before, next);
    else if (before.data !== next.data) before.data = next.data;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** What came, ended or changed since the look before; a screen reader says it. */
let before;
function news(boxes) {
  const now = new Map(boxes.map(({ id, said }) => [id, said]));
  const changed = [...now].filter(([id, said]) => before && before.get(id) !== said).map(([, said]) => said);
  const gone = [...(before ?? [])]
    .filter(([id]) => !now.has(id))
    .map(([, said]) => `${said.split(':')[0]}: removed`);
  before = now;
  if (changed.length + gone.length > 0) find('news').textContent = [...changed, ...gone].join('; ');
}

let chosen;
function show({ picture: text, chosen: box, boxes }) {
  const focused = document.activeElement?.dataset?.key;
  shown.innerHTML = text;
  const drawn = shown.content.firstElementChild;
  if (picture.firstElementChild) morph(picture.firstElementChild, drawn);
  else picture.append(drawn);
  // An element that was moved has lost the focus.
  if (focused && document.activeElement?.dataset?.key !== focused)
    picture.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  state.textContent = '';
  news(boxes);
  chosen = box;
  if (!find('name')) return;
  find('name').textContent = box?.name ?? '';
  find('shell').textContent = box ? `mini-docker exec -it ${box.name} sh` : '';
  for (const button of document.querySelectorAll('[data-action]')) button.disabled = !box;
}

/** Columns of text that fit beside each other, so that the picture's text is as large as the page's. */
function columns() {
  const probe = picture.appendChild(document.createElement('span'));
  probe.className = 'probe';
  probe.textContent = '0'.repeat(100);
  const width = probe.getBoundingClientRect().width / 100;
  probe.remove();
  return Math.floor(picture.clientWidth / width);
}

let source;
let width;
function listen() {
  source?.close();
  if (document.hidden) return;
  width = columns();
  const box = decodeURIComponent(location.hash.slice(1));
  const query = new URLSearchParams({ columns: width, ...(box && { box }) });
  const own = new EventSource(`${picture.dataset.picture}?${query}`);
  source = own;
  own.addEventListener('picture', ({ data }) => show(JSON.parse(data)));
  own.addEventListener('trouble', ({ data }) => {
    state.textContent = JSON.parse(data).message;
    own.close();
    // The daemon may come back.
    setTimeout(() => source === own && listen(), 3000);
  });
  own.onerror = () => {
    state.textContent = 'There is no answer: has the command that shows this page ended?';
  };
}

/** The arrows lead from card to card. */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
picture.addEventListener('keydown', event => {
  const cards = [...picture.querySelectorAll('a')];
  const at = cards.indexOf(document.activeElement);
  const next = cards[at + STEPS[event.key]];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
});

function ask(text) {
  const dialog = find('question');
  dialog.querySelector('p').textContent = text;
  dialog.showModal();
  return new Promise(resolve => {
    find('yes').onclick = () => resolve(true);
    dialog.onclose = () => resolve(false);
    find('no').onclick = () => dialog.close();
  }).finally(() => dialog.close());
}

async function act(button) {
  const { id, name } = chosen;
  const word = button.dataset.action;
  if ('asks' in button.dataset && !(await ask(`${word} ${name}?`))) return;
  const output = find('output');
  const title = output.querySelector('h2');
  output.hidden = false;
  title.textContent = `${word} ${name} …`;
  output.querySelector('pre').textContent = '';
  try {
    const answer = await fetch(`do/${word}/${id}`, { method: 'POST' });
    output.querySelector('pre').textContent = await answer.text();
    title.textContent = `${word} ${name}: ${answer.ok ? 'done' : 'it did not work'}`;
  } catch {
    title.textContent = `${word} ${name}: there is no answer`;
  }
  title.focus();
}

for (const button of document.querySelectorAll('[data-action]'))
  button.addEventListener('click', () => act(button));
find('close')?.addEventListener('click', () => {
  find('output').hidden = true;
});
addEventListener('hashchange', listen);
addEventListener('resize', () => {
  if (width !== columns()) listen();
});
document.addEventListener('visibilitychange', listen);
listen();
