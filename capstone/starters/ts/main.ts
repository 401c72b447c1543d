// My Docker. Stage 1: runs a command and passes its exit code on. #linux has system calls: learn api
import { clone, execve, wait } from '#linux';

const [verb, ...words] = process.argv.slice(2);
if (verb !== 'run') {
  console.error(`my-docker: there is no command ${verb}`);
  process.exit(125);
}
// Not used yet: the options before the image, and the image.
const [, ...command] = words;
const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
const pid = clone(0, [execve('/bin/sh', ['sh', '-c', 'exec "$@"', 'sh', ...command], environment)]);
process.exitCode = await wait(pid);
