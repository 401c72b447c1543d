// The messages of a build. Stages are built in parallel; as text they appear in the order of the Dockerfile:
// a later stage's messages wait until the earlier stages have finished theirs.
import type { BuildMessage } from '../formats/engine-api/build.ts';
import type { ProgressMessage } from '../formats/engine-api/images.ts';
import type { BuildRequest } from './request.ts';

export interface StageOutput {
  /** Announces a step; `text` is the instruction as the Dockerfile spells it. */
  step(number: number, text: string): Promise<void>;
  /** Writes a line below the step: '---> Using cache'. The live form leaves it out. */
  note(line: string): Promise<void>;
  cached(): Promise<void>;
  /** Passes on the progress of a pull. */
  progress(message: ProgressMessage): Promise<void>;
  data(text: string, stderr: boolean): Promise<void>;
  /** Reports the end of a step; `id` is the short id of the resulting image. */
  done(id: string): Promise<void>;
  failed(): Promise<void>;
  /** Ends the stage's output. */
  end(): Promise<void>;
}

const RED = '\x1b[91m';
const RESET = '\x1b[0m';

/** Characters of a quiet build that are kept, the latest, in case that it fails. */
const KEPT = 1 << 20;

/** Characters that a stage may have queued before it waits. Earlier stages never wait for a later one. */
const PATIENCE = 1 << 20;

interface Waiting {
  stage: number;
  messages: BuildMessage[];
  length: number;
  over: boolean;
  turn: PromiseWithResolvers<void>;
}

export class BuildOutput {
  readonly #request: Pick<BuildRequest, 'quiet' | 'live' | 'send'>;
  readonly #total: number;
  readonly #queue: Waiting[];
  #sending: Promise<void> = Promise.resolve();
  /** Messages of a quiet build. */
  readonly #kept: BuildMessage[] = [];
  #keptLength = 0;

  /** @param stages indexes of the stages, in order */
  constructor(
    request: Pick<BuildRequest, 'quiet' | 'live' | 'send'>,
    { stages, total }: { stages: readonly number[]; total: number },
  ) {
    this.#request = request;
    this.#total = total;
    this.#queue = stages.map(stage => ({
      stage,
      messages: [],
      length: 0,
      over: false,
      turn: Promise.withResolvers<void>(),
    }));
  }

  /** Sends a message about the whole build, before its stages or after them. */
  say(message: BuildMessage): Promise<void> {
    if (this.#request.live && 'stream' in message) return Promise.resolve();
    return this.#tell(message);
  }

  /** Sends the result, even in quiet mode. */
  result(message: BuildMessage): Promise<void> {
    return this.#send(message);
  }

  /** The build has failed: sends what a quiet one kept back. */
  async reveal(): Promise<void> {
    for (const message of this.#kept.splice(0)) await this.#send(message);
  }

  stage(index: number): StageOutput {
    const { live } = this.#request;
    const entry = this.#queue.find(each => each.stage === index)!;
    const total = this.#total;
    let number = 0;
    let text = '';
    let started = 0;
    let wasCached = false;
    const emit = async (message: BuildMessage): Promise<void> => {
      if (live || entry === this.#queue[0]) return this.#tell(message);
      entry.messages.push(message);
      entry.length += JSON.stringify(message).length;
      if (entry.length > PATIENCE) await entry.turn.promise;
    };
    const stream = (line: string) => (live ? Promise.resolve() : emit({ stream: line }));
    const tell = (state: 'started' | 'output' | 'cached' | 'done' | 'failed', more: object = {}) =>
      live ? emit({ step: { number, total, state, ...more } }) : Promise.resolve();
    const flush = async (waiting: Waiting) => {
      waiting.turn.resolve();
      for (const each of waiting.messages.splice(0)) await this.#tell(each);
    };
    const took = () => ({ took: Math.round(performance.now() - started) });
    return {
      async step(at, instruction) {
        [number, text, started, wasCached] = [at, instruction, performance.now(), false];
        await stream(`Step ${number}/${total} : ${text}`);
        await stream('\n');
        await tell('started', { text });
      },
      note: line => stream(`${line}\n`),
      async cached() {
        wasCached = true;
        await stream(' ---> Using cache\n');
      },
      progress: message => emit(message),
      async data(piece, stderr) {
        await stream(stderr ? `${RED}${piece}${RESET}` : piece);
        await tell('output', { data: piece, stderr });
      },
      async done(id) {
        await stream(` ---> ${id}\n`);
        await tell(wasCached ? 'cached' : 'done', took());
      },
      async failed() {
        await tell('failed', took());
        await flush(entry);
      },
      end: async () => {
        entry.over = true;
        while (this.#queue[0]?.over) {
          this.#queue.shift();
          const next = this.#queue[0];
          if (next !== undefined) await flush(next);
        }
      },
    };
  }

  /** Sends a message, or keeps it when the build is quiet. */
  async #tell(message: BuildMessage): Promise<void> {
    if (!this.#request.quiet || 'aux' in message) return this.#send(message);
    this.#kept.push(message);
    this.#keptLength += JSON.stringify(message).length;
    while (this.#keptLength > KEPT) this.#keptLength -= JSON.stringify(this.#kept.shift()).length;
  }

  /** Sends messages one at a time, in the order of the calls. */
  #send(message: BuildMessage): Promise<void> {
    const before = this.#sending;
    this.#sending = before.then(() => this.#request.send(message));
    return this.#sending;
  }
}
