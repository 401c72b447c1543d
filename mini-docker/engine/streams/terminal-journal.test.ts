import { closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPty } from '../../linux/pty.ts';
import { setNonBlocking, type Taken } from './journal.ts';
import { TerminalJournal } from './terminal-journal.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-terminal-'));
  path = join(directory, 'journal');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const text = (taken: Taken) => (typeof taken === 'string' ? taken : Buffer.from(taken).toString());

test('what was taken and not brought to the log is there for the next daemon', () => {
  const { master, slave } = openPty();
  setNonBlocking(master);
  const first = new TerminalJournal(path);
  writeSync(slave, 'one two');
  expect(text(first.take(master))).toBe('one two');
  expect(first.take(master)).toBe('later');
  first.advance(4);
  // Killed here: nothing is closed in an orderly way.
  const second = new TerminalJournal(path, first.done);
  expect(text(second.rest())).toBe('two');
  writeSync(slave, ' three');
  expect(text(second.take(master))).toBe(' three');
  closeSync(slave);
  expect(second.take(master)).toBe('end');
  closeSync(master);
  first.close();
  second.close();
});

test('it begins anew when it is full, and never before all of it is done', () => {
  const { master, slave } = openPty();
  setNonBlocking(master);
  const journal = new TerminalJournal(path);
  const sent = 'x'.repeat(1000);
  let shrunk = 0;
  for (let round = 0; round < 600; round++) {
    writeSync(slave, sent);
    expect(text(journal.take(master))).toBe(sent);
    if (round % 3 === 0) expect(journal.shrink()).toBe(false);
    journal.advance(1000);
    if (journal.shrink()) {
      shrunk += 1;
      expect(new TerminalJournal(path, 200_000).done).toBe(0);
    }
  }
  expect(shrunk).toBe(3);
  closeSync(slave);
  closeSync(master);
  journal.close();
});
