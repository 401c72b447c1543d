// What the pages can do besides being read: copy the commands of a transcript and, when `learn web` serves them,
// show how far the learner is. Text from outside is only ever inserted as text.

const news = document.getElementById('news');

function make(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

async function copy(text) {
  // Pages of an ordinary http server have no clipboard.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(make('textarea', text));
  area.select();
  document.execCommand('copy');
  area.remove();
}

for (const transcript of document.querySelectorAll('.transcript')) {
  const button = make('button', 'Copy commands');
  button.type = 'button';
  button.addEventListener('click', async () => {
    const typed = [...transcript.querySelectorAll('kbd')].map(each => each.textContent);
    await copy(`${typed.join('\n')}\n`);
    button.textContent = 'Copied';
    news.textContent = 'The commands are copied.';
    setTimeout(() => {
      button.textContent = 'Copy commands';
    }, 2000);
    button.focus();
  });
  transcript.append(button);
}

const { live, exercise } = document.documentElement.dataset;
const watch = document.querySelector('[data-watch]');
const sections = new Map(
  [...document.querySelectorAll('[data-task]')].map(each => [each.dataset.task, each]),
);

function showState(key, outcome, words) {
  const state = sections.get(key)?.querySelector('[data-state]');
  if (!state) return;
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[outcome];
  const before = state.className;
  state.hidden = false;
  state.className = `state ${outcome}`;
  state.textContent = `${sign} ${words ?? outcome}`;
  if (state.className !== before) news.textContent = `${key.split('/')[1]}: ${words ?? outcome}`;
}

function showProgress({ passed, hints, chapters, reached, of }) {
  const total = document.querySelector('[data-total]');
  if (total) total.textContent = `${reached} of ${of} points`;
  for (const tally of document.querySelectorAll('[data-chapter]')) {
    const chapter = chapters[tally.dataset.chapter];
    const done = chapter.reached === chapter.of;
    tally.textContent = `${done ? '✓ ' : ''}${chapter.reached} of ${chapter.of} points`;
    tally.classList.toggle('passed', done);
  }
  for (const [key, section] of sections) {
    const state = section.querySelector('[data-state]');
    state.hidden = false;
    if (passed.includes(key) && !state.classList.contains('failed')) showState(key, 'passed');
    const shown = [...section.querySelectorAll('.hint')].slice(0, hints[key] ?? 0);
    for (const hint of shown) hint.open = true;
  }
  if (watch) {
    watch.hidden = false;
    const started = chapters[exercise].started;
    watch.querySelector('button').disabled = !started;
    if (!started) watch.querySelector('.checking').textContent = 'Not started yet: see "Your files".';
  }
}

function showResult({ key, outcome, reason, broken }) {
  showState(key, outcome, { failed: 'not yet', skipped: `skipped: ${reason}` }[outcome]);
  const list = sections.get(key)?.querySelector('[data-broken]');
  if (!list) return;
  const rows = Object.entries({
    Promised: broken?.promised,
    Seen: broken?.seen,
    'Look at': broken?.look,
    'It said': broken?.said,
  });
  list.hidden = !broken;
  list.replaceChildren(
    ...rows.filter(([, text]) => text).flatMap(([name, text]) => [make('dt', name), make('dd', text)]),
  );
}

function say(text) {
  if (watch) watch.querySelector('.checking').textContent = text;
}

function listen() {
  const source = new EventSource(live);
  const on = (name, act) => source.addEventListener(name, ({ data }) => act(JSON.parse(data)));
  on('progress', showProgress);
  on('result', showResult);
  on('checking', ({ chapter }) => chapter === exercise && say('Checking …'));
  on('checked', ({ chapter }) => chapter === exercise && say('Checked; saving a file checks again.'));
  on('trouble', ({ chapter, message }) => chapter === exercise && say(message));
  source.onerror = () => say("There is no answer; is 'learn web' still running?");
  return source;
}

if (live) {
  let source = listen();
  // A browser has six connections for all of its tabs: only the visible one needs news.
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) source = listen();
  });
  watch
    ?.querySelector('button')
    .addEventListener('click', () => fetch(`check/${exercise}`, { method: 'POST' }));
}
