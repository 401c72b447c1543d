// The scopes of a Dockerfile's variables: ARG before the first FROM, ARG in a stage, ENV
// (https://docs.docker.com/reference/dockerfile/#arg, "Scope" and "Using ARG variables").

import { DockerfileSyntaxError } from '../formats/dockerfile/error.ts';
import type { InstructionOf } from '../formats/dockerfile/instruction.ts';
import { expand } from '../formats/dockerfile/words.ts';
import type { Platform } from '../formats/oci/image.ts';
import { splitAt } from '../formats/split.ts';

/** Variables that RUN sees without an ARG if they are given, and that do not affect the cache. */
const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'].flatMap(name => [
  name,
  name.toUpperCase(),
]);

/** Variables of the whole build: the given values, and the ARGs before the first FROM. */
export class BuildVariables {
  readonly #given: Readonly<Record<string, string | null>>;
  readonly #platform: ReadonlyMap<string, string>;
  readonly #globals = new Map<string, string | undefined>();
  readonly #size = { characters: 0 };
  readonly #used = new Set<string>(['SOURCE_DATE_EPOCH', ...PROXIES]);

  constructor(given: Record<string, string | null>, platforms: { build: Platform; target: Platform }) {
    this.#given = given;
    this.#platform = new Map([
      ...platformVariables('BUILD', platforms.build),
      ...platformVariables('TARGET', platforms.target),
    ]);
  }

  /** @throws DockerfileSyntaxError */
  declareGlobal(instruction: InstructionOf<'arg'>, sign: string): void {
    for (const [name, initial] of instruction.pairs) {
      const value = this.#take(name) ?? this.#expanded(initial, { sign, lookup: each => this.global(each) });
      this.#globals.set(name, counted(value, this.#size));
    }
  }

  /** The value of a variable in a FROM line. */
  global(name: string): string | undefined {
    return this.#globals.get(name) ?? this.#platform.get(name);
  }

  /**
   * The text of a FROM line with variables expanded; never ''.
   * @throws DockerfileSyntaxError when it would be
   */
  expandGlobal(text: string, sign: string): string {
    const value = expand(text, { escape: sign, lookup: name => this.global(name) });
    if (value === '') throw new DockerfileSyntaxError(`the name of the image is empty: ${text}`);
    return value;
  }

  /** The value of an ARG in a stage. @throws DockerfileSyntaxError */
  value(name: string, initial: string | undefined, scope: Scope): string | undefined {
    return this.#take(name) ?? this.#expanded(initial, scope) ?? this.global(name);
  }

  proxies(): [name: string, value: string][] {
    return PROXIES.flatMap(name =>
      typeof this.#given[name] === 'string' ? [[name, this.#given[name]]] : [],
    );
  }

  /** Names of given variables that no ARG declares. */
  unused(): string[] {
    return Object.keys(this.#given).filter(name => !this.#used.has(name));
  }

  #take(name: string): string | undefined {
    this.#used.add(name);
    return Object.hasOwn(this.#given, name) ? (this.#given[name] ?? undefined) : undefined;
  }

  #expanded(initial: string | undefined, { sign, lookup }: Scope): string | undefined {
    return initial === undefined ? undefined : expand(initial, { escape: sign, lookup });
  }
}

/** Characters that a stage's arguments may have in total. */
const LARGEST = 4 << 20;

/**
 * Adds the value to the total.
 * @throws DockerfileSyntaxError when the total is too much for the daemon's memory
 */
export function counted(value: string | undefined, size: { characters: number }): string | undefined {
  size.characters += value?.length ?? 0;
  if (size.characters > LARGEST)
    throw new DockerfileSyntaxError(`the values of ARG are longer than ${LARGEST} characters together`);
  return value;
}

export interface Scope {
  /** The escape character. */
  sign: string;
  lookup(name: string): string | undefined;
}

function platformVariables(prefix: string, { os, architecture, variant }: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, [os, architecture, variant].filter(Boolean).join('/')],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant ?? ''],
  ];
}

/** 'NAME=value' → its two parts; without '=' the value is ''. */
export function assignment(text: string): [name: string, value: string] {
  const [name, value = ''] = splitAt(text, '=');
  return [name, value];
}
