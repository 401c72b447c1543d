// `learn doctor`: is this machine fit for the course, and if not, what helps?
import { exercises } from '../doctor/exercises.ts';
import type { Finding } from '../doctor/finding.ts';
import { controlGroups, kernel, namespaces, overlay, userNamespaces } from '../doctor/kernel.ts';
import { node, place, tools } from '../doctor/machine.ts';
import { sandboxWorks } from '../doctor/sandbox.ts';
import { bad, bold, good, print, SIGN, wrap } from '../screen.ts';

export async function doctor(): Promise<void> {
  const looks = [place, kernel, node, namespaces, overlay, controlGroups, userNamespaces, tools].map(look =>
    look(),
  );
  const findings = [...looks, await exercises(), ...(await sandboxWorks())];
  print();
  findings.forEach(show);
  const works = findings.every(({ state }) => state !== 'missing');
  print(
    works ? `\n  ${bold('You can begin:')} learn read 0\n` : '\n  Not yet: fix the lines marked ✗ first.\n',
  );
  if (!works) process.exitCode = 1;
}

function show({ subject, state, found, means, mend }: Finding): void {
  const sign = { good: good(SIGN.passed), limited: SIGN.skipped, missing: bad(SIGN.failed) }[state];
  const indent = ' '.repeat(19);
  print(wrap(found, indent, `  ${sign} ${subject.padEnd(14)} `));
  if (means !== undefined) print(wrap(means, `${indent}         `, `${indent}means:   `));
  if (mend !== undefined) print(wrap(mend, `${indent}         `, `${indent}to fix:  `));
}
