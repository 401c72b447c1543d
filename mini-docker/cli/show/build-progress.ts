// Shows the progress of a build: the daemon's messages as they come; or, on a terminal, a line with the time
// of each step, rewritten in place, above the last output of its command.

import type { StepMessage } from '../../formats/engine-api/build.ts';

export interface ProgressOptions {
  write(text: string): void;
  columns(): number;
  /** The time in milliseconds; replaced in tests. */
  now?(): number;
}

interface Step {
  number: number;
  text: string;
  started: number;
  /** The last lines of its command's output. */
  lines: string[];
  /** All of its output, for a failure. */
  all: string[];
}

const SHOWN_LINES = 4;
const KEPT_LINES = 200;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const REDRAW = 100;
/** <ECMA-48>: colours and other control sequences, which would spoil the display. */
const CONTROLS = /\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g;

export class LiveProgress {
  readonly #options: ProgressOptions;
  readonly #running = new Map<number, Step>();
  readonly #now: () => number;
  #height = 0;
  #total = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  take(message: StepMessage): void {
    const { number, total, state } = message;
    this.#total = total;
    this.#timer ??= setInterval(() => this.#draw([]), REDRAW).unref();
    if (state === 'started') {
      const text = message.text ?? '';
      this.#running.set(number, { number, text, started: this.#now(), lines: [], all: [] });
      this.#draw([]);
      return;
    }
    const step = this.#running.get(number);
    if (step === undefined) return;
    if (state === 'output') {
      this.#output(step, message.data ?? '');
      return;
    }
    this.#running.delete(number);
    const time = state === 'cached' ? 'cached' : seconds(message.took ?? this.#now() - step.started);
    const mark = state === 'failed' ? '✗' : '✓';
    const said = state === 'failed' ? step.all.map(line => `    ${line}`) : [];
    this.#draw([this.#line(mark, step, time), ...said]);
  }

  /** Stops redrawing. */
  end(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #output(step: Step, data: string): void {
    for (const line of data.split(/\r?\n|\r/)) {
      const clean = line.replaceAll(CONTROLS, '').trimEnd();
      if (clean === '') continue;
      step.all.push(clean);
      if (step.all.length > KEPT_LINES) step.all.shift();
    }
    step.lines = step.all.slice(-SHOWN_LINES);
  }

  #erase(): void {
    if (this.#height > 0) this.#options.write(`\x1b[${this.#height}A\r\x1b[J`);
    this.#height = 0;
  }

  #draw(finished: string[]): void {
    this.#erase();
    const frame = FRAMES[Math.floor(this.#now() / REDRAW) % FRAMES.length]!;
    const running = [...this.#running.values()].flatMap(step => [
      this.#line(frame, step, seconds(this.#now() - step.started)),
      ...step.lines.map(line => this.#fitted(`    ${line}`)),
    ]);
    const lines = [...finished, ...running];
    if (lines.length > 0) this.#options.write(`${lines.join('\n')}\n`);
    this.#height = running.length;
  }

  /** '✓ 3/7 RUN make                 1.2s', padded to the terminal's width. */
  #line(mark: string, { number, text }: Step, time: string): string {
    const count = `${String(number).padStart(String(this.#total).length)}/${this.#total}`;
    const room = Math.max(10, this.#width() - mark.length - count.length - time.length - 4);
    const short = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    return `${mark} ${count} ${short.padEnd(room)} ${time}`;
  }

  #fitted(line: string): string {
    return line.length > this.#width() ? `${line.slice(0, this.#width() - 1)}…` : line;
  }

  #width(): number {
    // The last column stays free, since some terminals would wrap the line there.
    return Math.max(20, this.#options.columns() - 1);
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)}s`;
