// Shows looks at a machine in the terminal until the user leaves: the same for the engine and for the course.
import type { View } from '../../formats/view.ts';
import { ASCII, type Glyphs, UNICODE } from './lines.ts';
import { runProgram } from './program.ts';
import { drawScreen, furthestScroll, sectionHeight, sectionWidth } from './screen.ts';
import { type Action, firstState, looked, pressed, redrawn, type ViewState } from './state.ts';
import { checkTerminal, openTerminal } from './terminal.ts';

/** Milliseconds: a program that fails sooner than this has not been used. */
const QUICK = 2000;

export interface Session {
  title: string;
  noun: string;
  /** What to do when there is no box. */
  empty: string;
  actions: readonly Action[];
  environment: NodeJS.ProcessEnv;
  /** Looks until the caller stops reading them. @param chosen id of the box to read in depth */
  looks(chosen: string | undefined): AsyncIterable<View>;
  /** The program and arguments of actions. */
  program: readonly string[];
}

/** @throws whatever `looks` throws, after the terminal was given back */
export async function showView(session: Session): Promise<void> {
  const { environment, looks, program, ...rest } = session;
  checkTerminal(environment);
  const glyphs = glyphsFor(environment);
  let state: ViewState = firstState(rest);
  const left = Promise.withResolvers<void>();
  using terminal = openTerminal({
    colour: !environment.NO_COLOR,
    onKey: key => {
      const before = state.chosen;
      const press = pressed(state, key, sectionHeight(terminal.size()));
      state = press.state;
      if (state.scroll > 0)
        state = { ...state, scroll: Math.min(state.scroll, furthestScroll(state, terminal.size())) };
      if (press.quit) return left.resolve();
      if (state.chosen !== before) follow(state.chosen);
      if (press.run !== undefined) void act(press.run);
      paint();
    },
    onResize: () => {
      state = redrawn(state, drawing());
      paint();
    },
    onEnd: () => left.resolve(),
  });
  const drawing = () => ({ glyphs, width: sectionWidth(terminal.size()) });
  const paint = () => terminal.paint(drawScreen(state, terminal.size(), glyphs));

  let following = 0;
  /** Only the newest stream of looks counts; an older one ends at its next look. */
  const follow = (chosen: string | undefined): void => {
    following += 1;
    const own = following;
    void (async () => {
      for await (const view of looks(chosen)) {
        if (own !== following) return;
        state = looked(state, view, drawing());
        paint();
        // The looks without a choice, or after the end of the chosen box, are at the first in the list.
        if (state.chosen !== chosen && state.chosen !== view.wanted) return follow(state.chosen);
      }
      if (own === following) throw new Error('the daemon has ended');
    })().catch(error => own === following && left.reject(error));
  };

  const act = async (action: Action): Promise<void> => {
    const box = state.view?.boxes.find(({ id }) => id === state.chosen);
    if (box === undefined) return;
    const argv = [...program, ...action.command, box.id, ...(action.after ?? [])];
    if (action.shows === 'terminal') {
      await terminal.lend(async answer => {
        process.stdout.write(`${action.word} ${box.name}; ${action.leave} to return\n`);
        const begun = Date.now();
        const { code } = await runProgram(argv, 'inherit');
        if (code === 0 || Date.now() - begun > QUICK) return;
        // What it said would be gone before it is read.
        process.stdout.write('press any key to return\n');
        await answer();
      });
    } else {
      state = { ...state, message: `${action.word} ${box.name} …` };
      paint();
      const { code, output } = await runProgram(argv, 'pipe');
      const { message: _, ...calm } = state;
      const lines = output.trimEnd().split('\n');
      if (action.shows === 'page' && code === 0)
        state = { ...calm, page: { title: `${action.word} ${box.name}`, lines }, scroll: 0 };
      else state = { ...calm, message: code === 0 ? `${action.word} ${box.name}: done` : (lines[0] ?? '') };
    }
    paint();
  };

  paint();
  follow(undefined);
  try {
    await left.promise;
  } finally {
    following += 1;
  }
}

/** Whether the terminal's character set is UTF-8. The order of the variables is that of locale(7). */
function glyphsFor({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): Glyphs {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale) ? UNICODE : ASCII;
}
