// Prints why npm's registry, or the proxy to it, cannot be reached, and exits with 0; exits with 1 when it
// can be. Runs on any version of Node.
const { execFileSync } = require('node:child_process');
const { connect } = require('node:net');

const PATIENCE = 8000;
// The resolver asks each server twice, for 5 seconds each, and Node waits for it even when exiting.
process.env.RES_OPTIONS ??= 'timeout:3 attempts:1';

/** npm's settings from its files, its environment and the usual variables: NAME=VALUE. */
const told = execFileSync('npm', ['config', 'get', 'https-proxy', 'proxy', 'registry'], { encoding: 'utf8' });
const [first] = told.split('\n').flatMap(line => /=(\w+:\/\/\S+)/.exec(line)?.[1] ?? []);
const url = new URL(first);
const port = url.port || (url.protocol === 'http:' ? 80 : 443);
const why = { EAI_AGAIN: 'its name cannot be resolved', ENOTFOUND: 'its name cannot be resolved' };

function unreachable(reason) {
  console.log(`${url.hostname} cannot be reached (${reason})`);
  process.exit(0);
}

setTimeout(() => unreachable(`no answer within ${PATIENCE / 1000} seconds`), PATIENCE);
connect({ host: url.hostname, port })
  .on('connect', () => process.exit(1))
  .on('error', ({ code }) => unreachable(why[code] ? `${code}: ${why[code]}` : code));
