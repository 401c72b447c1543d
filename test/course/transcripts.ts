// The transcripts of a README, typed into the shell of a sandbox, one after another.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Escapes, openEscapes } from '../../learn/sandbox/escapes.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { missing } from './needs.ts';
import type { Block } from './readme.ts';
import { openShell, type Shell } from './shell.ts';
import { commandsOf, difference } from './transcript.ts';

/** @param timeout milliseconds that a command may take */
export function testTranscripts(blocks: readonly Block[], timeout?: number): void {
  const transcripts = blocks.filter(({ language }) => language === 'console');
  if (transcripts.length === 0) return;
  describe('transcripts', () => {
    let sandbox: Sandbox;
    let shell: Shell | undefined;
    let escapes: Escapes | undefined;
    const needed = transcripts.some(({ attributes }) => attributes.get('needs')?.includes('escapes'));
    beforeAll(async () => {
      escapes = needed && missing('escapes') === undefined ? openEscapes() : undefined;
      sandbox = await Sandbox.create({ escapes });
      shell = await openShell(sandbox, { timeout, environment: escapes?.environment(sandbox.pid) });
    });
    afterAll(async () => {
      await shell?.[Symbol.asyncDispose]();
      await sandbox?.close();
      await escapes?.[Symbol.asyncDispose]();
    });
    for (const block of transcripts) {
      const why = missing(block.attributes.get('needs'));
      const name = `line ${block.line}: ${commandsOf(block.lines)[0]?.text.split('\n')[0]}`;
      test.skipIf(why !== undefined)(why === undefined ? name : `${name} (${why})`, async () => {
        const known = new Map<string, string>();
        for (const command of commandsOf(block.lines)) {
          const { output, inner } = await shell!.run(command);
          const all = [output, ...inner].flat().join('\n');
          compare(command.text, difference(command.output, output, known), all);
          for (const [index, typed] of command.inner.entries()) {
            compare(typed.text, difference(typed.output, inner[index] ?? [], known), all);
          }
        }
      });
    }
  });
}

function compare(command: string, wrong: string | undefined, all: string): void {
  if (wrong !== undefined) throw new Error(`$ ${command}\n  ${wrong}\n--- all that it printed:\n${all}`);
}
