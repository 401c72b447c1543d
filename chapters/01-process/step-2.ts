import { clone, wait, writeText } from '#linux';

const pid = clone(0, [writeText(1, `I am process ${process.pid}\n`)]);
await wait(pid);
console.log(`and that was process ${pid}`);
