import type { ManifestListInspect } from '../../formats/engine-api/images.ts';
import { command } from '../command.ts';
import { parsedReference } from '../daemon/images-pull.ts';
import { authHeader } from '../daemon/registry-config.ts';
import { text, toggle } from '../flags/flags.ts';
import { print } from '../show/output.ts';
import { forEachTarget } from '../targets.ts';

const PATH = '/mini-docker/manifests';
const ignored = (help: string) => ({ ...toggle(help), hidden: true });

const auth = (name: string) => authHeader(parsedReference(name).domain, process.env);

export const manifestCreate = command({
  usage: '[OPTIONS] LIST IMAGE [IMAGE...]',
  description: 'The images must already be in the registry. The list is kept locally until it is pushed.',
  flags: {
    amend: toggle('Amend an existing manifest list', 'a'),
    insecure: ignored("The daemon's insecure-registries say so"),
  },
  examples: [
    [
      'manifest create hub.lan/web:1 hub.lan/web:1-amd64 hub.lan/web:1-arm64',
      'Combine two platforms under one name',
    ],
    ['manifest push hub.lan/web:1', 'Push the list'],
  ],
  async run({ flags, args, daemon }) {
    const [name, ...image] = args as [string, ...string[]];
    const options = { query: { name, image, amend: flags.amend }, headers: await auth(name) };
    const { Name } = await daemon.json<{ Name: string }>('POST', `${PATH}/create`, options);
    print(`Created manifest list ${Name}`);
  },
});

export const manifestAnnotate = command({
  usage: '[OPTIONS] LIST IMAGE',
  flags: {
    arch: text('string', 'Set architecture'),
    os: text('string', 'Set operating system'),
    'os-version': text('string', 'Set operating system version'),
    variant: text('string', 'Set architecture variant'),
  },
  examples: [
    [
      'manifest annotate --arch arm --variant v7 hub.lan/web:1 hub.lan/web:1-arm',
      'What its configuration does not say',
    ],
  ],
  async run({ flags, args, daemon }) {
    const [name, image] = args;
    const { arch, os, variant } = flags;
    const query = { name, image, arch, os, variant, osversion: flags['os-version'] };
    await daemon.text('POST', `${PATH}/annotate`, { query });
  },
});

export const manifestInspect = command({
  usage: '[OPTIONS] NAME',
  description: 'Shows a local list, or else what the registry has under the name.',
  flags: {
    insecure: ignored("The daemon's insecure-registries say so"),
    verbose: toggle('Output additional info including layers and platform', 'v'),
  },
  examples: [['manifest inspect alpine:3', "Show an image's platforms"]],
  async run({ flags, args, daemon }) {
    const name = args[0]!;
    const options = { query: { name }, headers: await auth(name) };
    const { Manifest, Images } = await daemon.json<ManifestListInspect>('GET', PATH, options);
    const verbose = Images.map(({ From, Descriptor }) => ({ Ref: From, Descriptor }));
    print(JSON.stringify(flags.verbose ? verbose : Manifest, null, 3));
  },
});

export const manifestPush = command({
  usage: '[OPTIONS] LIST',
  flags: {
    insecure: ignored("The daemon's insecure-registries say so"),
    purge: toggle('Remove the local manifest list after push', 'p'),
  },
  examples: [['manifest push --purge hub.lan/web:1', 'Push the list and print its digest']],
  async run({ flags, args, daemon }) {
    const name = args[0]!;
    const query = { name, purge: flags.purge || undefined };
    const headers = await auth(name);
    print((await daemon.json<{ Digest: string }>('POST', `${PATH}/push`, { query, headers })).Digest);
  },
});

export const manifestRm = command({
  usage: 'LIST [LIST...]',
  examples: [['manifest rm hub.lan/web:1', 'Remove the local list; the registry keeps its copy']],
  run: ({ args, daemon }) =>
    forEachTarget(args, async name => {
      await daemon.text('DELETE', PATH, { query: { name } });
    }),
});
