// Chapter 0. What a process belongs to.   Run: node chapters/00-machine/box.ts [PID]
import { KINDS, kinds, namespaceOf } from './namespaces.ts';

const pid = Number(process.argv[2] ?? 1);

console.log(`kind    this process       process ${pid}`);
for (const kind of kinds) {
  const ours = namespaceOf('self', kind);
  const theirs = namespaceOf(pid, kind);
  const verdict = ours === theirs ? 'the same' : `DIFFERENT: ${KINDS[kind]}`;
  console.log(`${kind.padEnd(7)} ${ours.padEnd(18)} ${theirs.padEnd(18)} ${verdict}`);
}
