// `compose build`, `pull` and `push`.

import type { DaemonClient } from '../daemon/client.ts';
import { errorLine } from '../errors.ts';
import { list, text, toggle } from '../flags/flags.ts';
import { printError } from '../show/output.ts';
import { composeCommand } from './command.ts';
import { imageOf } from './container-body.ts';
import { progress } from './containers.ts';
import { withDependencies } from './converge.ts';
import { buildService, imageId, pullService, runOther, withUsedBuilds } from './images.ts';

export const build = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'build-arg': list('list', 'Set build-time variables for services'),
    memory: text('bytes', 'Set memory limit for the build container', 'm'),
    'no-cache': toggle('Do not use cache when building the image'),
    pull: toggle('Always attempt to pull a newer version of the image'),
    push: toggle('Push service images'),
    quiet: toggle('Suppress the build output', 'q'),
    'with-dependencies': toggle('Also build dependencies (transitively)'),
  },
  needs: 'files',
  services: 'all',
  examples: [['compose build --no-cache web', 'Build the image of one service from the start']],
  async run({ flags, args, daemon, project }) {
    const chosen = withDependencies(project, args, !flags['with-dependencies']);
    const names = withUsedBuilds(project, chosen).filter(name => project.services[name]!.build);
    if (names.length === 0) printError('No services to build');
    const { push, 'with-dependencies': _, ...same } = flags;
    for (const name of names) {
      await buildService({ daemon, project, name, flags: same });
      const image = imageOf(project.name, name, project.services[name]!);
      progress('Image', image, 'Built');
      if (push) await pushImage(daemon, image, flags.quiet);
    }
  },
});

async function pushImage(daemon: DaemonClient, image: string, quiet: boolean): Promise<void> {
  const { push } = await import('../commands/push.ts');
  progress('Image', image, 'Pushing');
  await runOther(push, { daemon, flags: { quiet }, args: [image] });
  progress('Image', image, 'Pushed');
}

/** Handles one image after another; with `ignore`, a failure is reported and the rest continue. */
async function each(
  images: ReadonlySet<string>,
  ignore: boolean,
  action: (image: string) => Promise<void>,
): Promise<number> {
  for (const image of images) {
    try {
      await action(image);
    } catch (error) {
      if (!ignore) throw error;
      printError(`WARNING: ${image}: ${errorLine(error)}`);
    }
  }
  return 0;
}

export const pull = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'ignore-buildable': toggle('Ignore images that can be built'),
    'ignore-pull-failures': toggle('Pull what it can and ignores images with pull failures'),
    'include-deps': toggle('Also pull services declared as dependencies'),
    policy: text('policy', 'Apply pull policy ("missing"|"always")'),
    quiet: toggle('Pull without printing progress information', 'q'),
  },
  needs: 'files',
  services: 'all',
  examples: [['compose pull -q', 'Pull the images of all services']],
  async run({ flags, args, daemon, project }) {
    const byImage = new Map(
      withDependencies(project, args, !flags['include-deps'])
        .map(name => ({ name, service: project.services[name]! }))
        .filter(({ service }) => service.image !== undefined && !(service.build && flags['ignore-buildable']))
        .map(({ name, service }) => [imageOf(project.name, name, service), service]),
    );
    return each(new Set(byImage.keys()), flags['ignore-pull-failures'], async image => {
      if (flags.policy === 'missing' && (await imageId(daemon, image))) return;
      await pullService(daemon, { image, service: byImage.get(image)!, quiet: flags.quiet });
    });
  },
});

export const push = composeCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'ignore-push-failures': toggle('Push what it can and ignores images with push failures'),
    'include-deps': toggle('Also push images of services declared as dependencies'),
    quiet: toggle('Push without printing progress information', 'q'),
  },
  needs: 'files',
  services: 'all',
  examples: [['compose push web', 'Push the image of one service']],
  async run({ flags, args, daemon, project }) {
    const names = withDependencies(project, args, !flags['include-deps']).filter(
      name => project.services[name]!.build,
    );
    const images = new Set(names.map(name => imageOf(project.name, name, project.services[name]!)));
    return each(images, flags['ignore-push-failures'], image => pushImage(daemon, image, flags.quiet));
  },
});
