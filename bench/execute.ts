import { spawn } from 'node:child_process';

/** Runs a command until it exits; rejects unless it succeeds. */
export function execute(command: string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    let errors = '';
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', data => {
      errors += data;
    });
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`${command.join(' ')} ended with ${code}: ${errors}`));
    });
  });
}
