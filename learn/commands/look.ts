// `learn look`: what the kernel has of a sandbox, live, in a second terminal beside `learn shell`.
import { showView } from '../../mini-docker/cli/view/session.ts';
import { UserError } from '../course.ts';
import { looks } from '../sandbox/looks.ts';

export async function look(): Promise<void> {
  if (process.env.LEARN_SANDBOX)
    throw new UserError('this is the sandbox: type learn look in a second terminal, outside of it');
  try {
    await showView({
      title: 'learn look',
      noun: 'sandbox',
      empty: 'Open one in another terminal: learn shell',
      actions: [],
      environment: process.env,
      looks,
      program: [],
    });
  } catch (error) {
    if ((error as Error).name === 'CommandError') throw new UserError((error as Error).message);
    throw error;
  }
}
