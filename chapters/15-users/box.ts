// Chapter 15. A box without root: chapter 14's box, for an ordinary user.
// Run: node chapters/15-users/box.ts run … IMAGE [COMMAND…], and all the other verbs of chapter 14
//      … box.ts unshare COMMAND…
import { asOwnRoot } from './rootless.ts';

const [verb, ...words] = process.argv.slice(2);
const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
if (verb === 'unshare') process.exitCode = await asOwnRoot(words);
else if (process.geteuid!() !== 0) process.exitCode = await asOwnRoot(again);
else await import('../14-build/box.ts');
