// Keeps the promises one after another without a test runner, which would take half a minute to start in an emulated
// machine, and prints a line of JSON for each.
import { version } from './inside.ts';
import { promises } from './promises.ts';

export interface PromiseResult {
  name: string;
  milliseconds: number;
  /** What was broken; missing when it was kept. */
  error?: string;
}

for (const { name, version: only = version, keep } of promises) {
  if (only !== version) continue;
  const begun = performance.now();
  let error: string | undefined;
  try {
    await keep();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.stack : String(thrown);
  }
  const milliseconds = Math.round(performance.now() - begun);
  const result: PromiseResult = { name, milliseconds, ...(error === undefined ? {} : { error }) };
  console.log(`promise: ${JSON.stringify(result)}`);
}
process.exit(0);
