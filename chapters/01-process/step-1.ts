import { clone, exitGroup, wait } from '#linux';

const pid = clone(0, [exitGroup(7)]);
console.log(`process ${pid} ended with ${await wait(pid)}`);
