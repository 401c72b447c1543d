// The entry of everything: `mini-docker daemon` is the engine, every other command talks to it over HTTP.
// Nothing is imported before it is known to be needed, because a command's start-up is most of what it costs.

import module from 'node:module';

const OLDEST_NODE = 24;

// Compiled code is kept beside the program and not in /tmp, where anybody could put code for root to run.
module.enableCompileCache?.(`${import.meta.dirname}/.cache`);

const [command, ...rest] = process.argv.slice(2);
const version = process.versions.node;
if (Number.parseInt(version, 10) < OLDEST_NODE) {
  process.stderr.write(
    `mini-docker: needs Node ${OLDEST_NODE} or newer, this is ${version} (${process.execPath}); 'npm ci' in the project brings its own\n`,
  );
  process.exitCode = 1;
} else if (command === 'daemon' && !rest.includes('--help')) {
  const { runDaemon } = await import('./daemon.ts');
  process.exitCode = await runDaemon(rest);
} else {
  const { runCommandLine } = await import('./cli/command-line.ts');
  // Exit at once: waiting until timers and idle connections have gone would be time that the user waits.
  process.exit(
    await runCommandLine(process.argv.slice(2), {
      daemonCommand: [process.execPath, ...process.execArgv, process.argv[1]!, 'daemon'],
    }),
  );
}
