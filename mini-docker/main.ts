// The entry of everything: `mini-docker daemon` is the engine, every other command talks to it over HTTP.
// Nothing is imported before it is known to be needed, because a command's start-up is most of what it costs.

const OLDEST_NODE = 24;

async function main(argv: string[]): Promise<void> {
  const version = process.versions.node;
  if (Number.parseInt(version, 10) < OLDEST_NODE) {
    process.stderr.write(
      `mini-docker: needs Node ${OLDEST_NODE} or newer, this is ${version} (${process.execPath}); 'npm ci' in the project brings its own\n`,
    );
    process.exitCode = 1;
    return;
  }
  if (argv[0] === 'daemon' && !argv.includes('--help')) {
    // In dist/ too it is a file of its own (bin/setup): no command should load the engine.
    const { runDaemon } = await import('./daemon.ts');
    process.exitCode = await runDaemon(argv.slice(1));
    return;
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  // Without the launcher's flags for commands.
  const nodeFlags = process.execArgv.filter(flag => !flag.startsWith('--no-concurrent-'));
  const daemonCommand = [process.execPath, ...nodeFlags, process.argv[1]!, 'daemon'];
  // Exit at once: waiting until timers and idle connections have gone would be time that the user waits.
  process.exit(await runCommandLine(argv, { daemonCommand }));
}

void main(process.argv.slice(2));
