// Ends a process, politely at first.   Run: node stop.ts PID SECONDS
import { call, killProcess, pidfdOpen, SIG, watchExit } from '#linux';

const [pid, seconds] = process.argv.slice(2).map(Number);

/** Refers to this process, even after its pid has passed to another. */
const pidfd = call(pidfdOpen(pid!, 0));

let took = 'TERM';
killProcess(pidfd, SIG.TERM);
await watchExit(pidfd, AbortSignal.timeout(seconds! * 1000)).catch(() => {
  took = 'KILL';
  killProcess(pidfd, SIG.KILL);
});
await watchExit(pidfd);
console.log(took);
