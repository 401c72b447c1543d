import { text as readAll } from 'node:stream/consumers';
import { authKey } from '../../formats/registry-auth.ts';
import { command } from '../command.ts';
import { configPath, findAuth, removeAuth, storeAuth } from '../daemon/registry-config.ts';
import { CommandError } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, printError, writeError } from '../show/output.ts';

export const login = command({
  usage: '[OPTIONS] [SERVER]',
  description:
    'Without a server: Docker Hub. The password is kept where docker keeps it, in ~/.docker/config.json.',
  flags: {
    password: text('string', 'Password', 'p'),
    'password-stdin': toggle('Take the password from stdin'),
    username: text('string', 'Username', 'u'),
  },
  examples: [
    ['login', 'Log in to Docker Hub'],
    ['login -u me --password-stdin localhost:5000', 'Read the password from standard input'],
  ],
  async run({ flags, args, daemon }) {
    const key = serverKey(args[0]);
    const { username, password } = await credentials(flags, key);
    const { Status, IdentityToken } = await daemon.json<{ Status: string; IdentityToken?: string }>(
      'POST',
      '/auth',
      {
        json: { username, password, serveraddress: key },
      },
    );
    const auth = IdentityToken ? { username, identitytoken: IdentityToken } : { username, password };
    const where = await storeAuth(key, auth, process.env);
    if (where === configPath(process.env)) {
      printError(`\nWARNING! Your credentials are stored unencrypted in '${where}'.`);
    }
    print(Status);
  },
});

export const logout = command({
  usage: '[SERVER]',
  examples: [['logout localhost:5000', 'Remove the stored password']],
  async run({ args }) {
    const server = args[0] ?? 'https://index.docker.io/v1/';
    const was = await removeAuth(serverKey(args[0]), process.env);
    print(was ? `Removing login credentials for ${server}` : `Not logged in to ${server}`);
  },
});

/** 'https://localhost:5000/' → 'localhost:5000' */
function serverKey(server = 'docker.io'): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (host === '') throw new CommandError(`not a registry: ${JSON.stringify(server)}`);
  return authKey(host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host);
}

interface Given {
  username: string | undefined;
  password: string | undefined;
  'password-stdin': boolean;
}

async function credentials(flags: Given, key: string): Promise<{ username: string; password: string }> {
  if (flags['password-stdin']) {
    if (flags.password !== undefined) {
      throw new CommandError('--password and --password-stdin are mutually exclusive');
    }
    if (!flags.username) throw new CommandError('Must provide --username with --password-stdin');
    // A newline at the end comes from an editor, and is not part of the password.
    const password = (await readAll(process.stdin)).replace(/\r?\n$/, '');
    if (password === '') throw new CommandError('the password on standard input is empty');
    return { username: flags.username, password };
  }
  if (flags.password !== undefined) {
    printError('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    if (flags.username) return { username: flags.username, password: flags.password };
  }
  if (!process.stdin.isTTY) {
    throw new CommandError(
      'cannot ask for a password without a terminal: use --username and --password-stdin',
    );
  }
  const known = flags.username ?? (await findAuth(key, process.env).catch(() => undefined))?.username;
  const username = flags.username ?? ((await ask(known ? `Username (${known}): ` : 'Username: ')) || known);
  if (!username) throw new CommandError('a user name is needed');
  const password = flags.password ?? (await ask('Password: ', { hidden: true }));
  if (password === '') throw new CommandError('a password is needed');
  return { username, password };
}

/** Reads a line from the terminal; with `hidden`, without echo. */
async function ask(question: string, { hidden = false } = {}): Promise<string> {
  const [{ createInterface }, { Writable }] = await Promise.all([
    import('node:readline/promises'),
    import('node:stream'),
  ]);
  // The terminal's line editor prints the question itself; for a hidden answer its output is discarded.
  if (hidden) writeError(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = hidden ? silent : process.stderr;
  const input = createInterface({ input: process.stdin, output, terminal: true });
  try {
    const stopped = new Promise<never>((_, reject) =>
      input.once('SIGINT', () => reject(new CommandError('', { exitCode: 130 }))),
    );
    return (await Promise.race([input.question(hidden ? '' : question), stopped])).trim();
  } finally {
    input.close();
    if (hidden) writeError('\n');
  }
}
