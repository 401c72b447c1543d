// `--detach-keys`: the keys that detach the terminal and leave the container running. Names as in
// https://docs.docker.com/reference/cli/docker/container/attach/#detach-keys.

import { FormatError } from './errors.ts';

/** Ctrl-P Ctrl-Q */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** 'ctrl-p,ctrl-q' → the bytes a terminal sends for them. A key is a character or ctrl- with a to z or one of @ [ \ ] ^ _. */
export function decodeDetachKeys(text: string): Uint8Array {
  const keys = text.split(',').map(key => {
    if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control === undefined) throw new FormatError(`Unknown character: '${key}'`);
    return control.toUpperCase().charCodeAt(0) - 0x40;
  });
  return Uint8Array.from(keys);
}

export interface DetachScanner {
  /**
   * Searches typed bytes for the sequence. `pass` holds the bytes for the program: the keys of a started
   * sequence are held back until it is complete or broken off. Do not call push() again after `detached`.
   */
  push(typed: Uint8Array): { pass: Uint8Array; detached: boolean };
}

export function detachScanner(keys: Uint8Array): DetachScanner {
  let matched = 0;
  return {
    push(typed) {
      const pass: number[] = [];
      for (const byte of typed) {
        if (byte !== keys[matched] && matched > 0) {
          // Not the sequence after all: the program gets the keys held back, and this key may begin a new
          // sequence.
          pass.push(...keys.subarray(0, matched));
          matched = 0;
        }
        if (byte === keys[matched]) matched += 1;
        else pass.push(byte);
        if (matched === keys.length) return { pass: Uint8Array.from(pass), detached: true };
      }
      return { pass: Uint8Array.from(pass), detached: false };
    },
  };
}
