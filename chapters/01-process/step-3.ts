import { clone, execve, wait } from '#linux';

const pid = clone(0, [execve('/bin/sh', ['sh', '-c', 'echo I am process $$; exit 3'], [])]);
const code = await wait(pid);
console.log(`and that was process ${pid}, which ended with ${code}`);
