import { visible } from '../../formats/visible.ts';
import type { Finding, WhyReport } from '../../formats/why-report.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { toggle } from '../flags/flags.ts';
import { print } from '../show/output.ts';

export const why = command({
  usage: '[OPTIONS] CONTAINER',
  description:
    'Says in sentences, with the evidence below each and what to do, what the record, the log and the kernel tell of a container: why it ended, why it does not start, why it cannot be reached, why it is slow. To see whether it can be reached, a connection is made to each of its published ports.',
  flags: { json: toggle('Print the findings as JSON') },
  examples: [
    ['why web', 'Explain what is wrong with it'],
    ["why --json web | jq -r '.findings[].code'", 'List the findings for a program'],
  ],
  async run({ flags, args, daemon }) {
    const report = await daemon.json<WhyReport>('GET', containerPath(args[0]!, '/why'));
    if (flags.json) print(JSON.stringify(report, null, 2));
    else print(report.findings.map(shown).join('\n\n'));
  },
});

/** Programs in the container have a say in names, logs and outputs. */
function shown({ sentence, evidence, advice }: Finding): string {
  const lines = [
    sentence,
    ...evidence.map(line => `  - ${line}`),
    ...(advice === undefined ? [] : [`  => ${advice}`]),
  ];
  return lines.map(line => visible(line)).join('\n');
}
