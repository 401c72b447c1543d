// The program's entry point: `mini-docker daemon` is the engine, every other command talks to it over HTTP.
// Modules are imported only when needed, because start-up is most of a command's cost.

const OLDEST_NODE = 24;
/** Flags that bin/mini-docker gives to commands only. */
const OF_COMMANDS = /^--(no-concurrent-|v8-pool-size|min-semi-space)/;

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
    // A separate file in dist/ too (bin/setup), so that commands do not load the engine.
    const { runDaemon } = await import('./daemon.ts');
    process.exitCode = await runDaemon(argv.slice(1));
    return;
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  const nodeFlags = process.execArgv.filter(flag => !OF_COMMANDS.test(flag));
  const daemonCommand = [process.execPath, ...nodeFlags, process.argv[1]!, 'daemon'];
  // Loaded when the first request is on its way: the command has to wait then.
  setImmediate(() => void leaveQuickly());
  // Exits at once: waiting for timers and idle connections would only delay the user.
  process.exit(await runCommandLine(argv, { daemonCommand }));
}

/** Makes process.exit() end without Node's clean-up, where nothing needs it. */
async function leaveQuickly(): Promise<void> {
  const node = process as unknown as { reallyExit(code: number): void };
  const leave = node.reallyExit;
  try {
    const { exitAtOnce } = await import('./linux/libc.ts');
    node.reallyExit = code => {
      exitAtOnce(code);
      leave.call(node, code);
    };
  } catch {
    // Without native code it takes longer.
  }
}

void main(process.argv.slice(2));
