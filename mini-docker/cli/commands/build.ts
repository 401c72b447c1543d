import { readFileSync, writeFileSync } from 'node:fs';
import { decodeCsvLine } from '../../formats/csv.ts';
import { unlessEmpty } from '../../formats/defined.ts';
import type { StepMessage } from '../../formats/engine-api/build.ts';
import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { shortId } from '../../formats/short-id.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { splitAt } from '../../formats/split.ts';
import { byteArguments } from '../byte-arguments.ts';
import { command } from '../command.ts';
import { buildContext } from '../copy/build-context.ts';
import type { Query } from '../daemon/client.ts';
import { withLatest } from '../daemon/images-pull.ts';
import { allAuths } from '../daemon/registry-config.ts';
import { CommandError, fileReason } from '../errors.ts';
import { contentTrustFlag, refuseContentTrust } from '../flags/content-trust.ts';
import { type FlagValues, list, text, toggle, toggleOff, value, values } from '../flags/flags.ts';
import { readExtraHost, readPairs, readSwap, readUlimit } from '../flags/values.ts';
import { LiveProgress } from '../show/build-progress.ts';
import { write } from '../show/output.ts';
import { progressLines } from '../show/progress-lines.ts';

const flags = {
  'add-host': values('list', 'Add a custom host-to-IP mapping (host:ip)', readExtraHost),
  'build-arg': list('list', 'Set build-time variables'),
  'build-context': list('list', 'Additional build contexts (e.g., name=path, name=docker-image://image)'),
  'cache-from': list('list', 'Images to consider as cache sources'),
  'cgroup-parent': text('string', 'Optional parent cgroup for the container'),
  compress: toggle('Compress the build context using gzip'),
  'cpu-period': value('int', 'Limit the CPU CFS (Completely Fair Scheduler) period', Number),
  'cpu-quota': value('int', 'Limit the CPU CFS (Completely Fair Scheduler) quota', Number),
  'cpu-shares': value('int', 'CPU shares (relative weight)', Number, 'c'),
  'cpuset-cpus': text('string', 'CPUs in which to allow execution (0-3, 0,1)'),
  'cpuset-mems': text('string', 'MEMs in which to allow execution (0-3, 0,1)'),
  'disable-content-trust': contentTrustFlag(),
  file: text('string', "Name of the Dockerfile (Default is 'PATH/Dockerfile')", 'f'),
  'force-rm': toggle('Always remove intermediate containers'),
  squash: { ...toggle('Squash newly built layers into a single new layer: not supported'), hidden: true },
  iidfile: text('string', 'Write the image ID to the file'),
  isolation: { ...text('string', 'Container isolation technology: default'), hidden: true },
  label: list('list', 'Set metadata for an image'),
  memory: value('bytes', 'Memory limit', decodeSize, 'm'),
  'memory-swap': value(
    'bytes',
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    readSwap,
  ),
  network: text('string', 'Set the networking mode for the RUN instructions during build'),
  'no-cache': toggle('Do not use cache when building the image'),
  platform: text('string', 'Platform of the base images (linux/arm64)'),
  progress: text('string', 'Type of progress output: auto, plain or tty'),
  pull: toggle('Always attempt to pull a newer version of the image'),
  quiet: toggle('Suppress the build output and print image ID on success', 'q'),
  rm: toggleOff('Remove intermediate containers after a successful build'),
  secret: list(
    'list',
    'Secret to expose to RUN --mount=type=secret (id=NAME,src=FILE or id=NAME,env=VARIABLE)',
  ),
  'security-opt': list('list', 'Security options'),
  'shm-size': value('bytes', 'Size of /dev/shm', decodeSize),
  tag: list('list', "Name and optionally a tag in the 'name:tag' format", 't'),
  target: text('string', 'Set the target build stage to build'),
  ulimit: values('ulimit', 'Ulimit options', readUlimit),
} as const;

type Flags = FlagValues<typeof flags>;

/** A line of the answer, of any kind. */
interface Line extends Omit<ProgressMessage, 'aux' | 'errorDetail'> {
  aux?: { ID?: string };
  step?: StepMessage;
  errorDetail?: { code?: number; message?: string };
}

export const build = command({
  usage: '[OPTIONS] PATH | -',
  description:
    'The Dockerfile says what is in it. - reads a Dockerfile, or a tar archive with one in it, from standard input.',
  flags,
  count: [1, 1],
  examples: [
    ['build -t web .', 'Build from the Dockerfile in this directory'],
    [
      'build -f other.Dockerfile --target test --build-arg VERSION=2 .',
      'Build one stage of another Dockerfile',
    ],
    ['build - < Dockerfile', 'Build without a context'],
  ],
  async run({ flags, args, daemon }) {
    refuseContentTrust({ skip: flags['disable-content-trust'] });
    const live = isLive(flags);
    const secrets = readSecrets(flags.secret);
    const { contexts, further } = readContexts(flags['build-context']);
    const { dockerfile, body } = await buildContext({
      source: byteArguments(args)[0]!,
      file: flags.file,
      stdin: () => process.stdin,
      further,
    });
    const lines = daemon.jsonStream<Line>('POST', '/build', {
      query: query(flags, { dockerfile, live, contexts }),
      body: flags.compress ? await compressed(body) : body,
      headers: { 'Content-Type': 'application/x-tar', ...secrets, ...(await registryConfig()) },
    });
    const id = await show(lines, { live, quiet: flags.quiet, tags: flags.tag });
    if (flags.iidfile !== undefined) writeId(flags.iidfile, id);
  },
});

function isLive({ progress = 'auto', quiet }: Flags): boolean {
  if (!['auto', 'plain', 'tty'].includes(progress)) {
    throw new CommandError(`invalid progress: ${progress} (it is auto, plain or tty)`);
  }
  if (quiet || progress === 'plain') return false;
  if (progress === 'tty' && !process.stdout.isTTY) {
    throw new CommandError('--progress=tty needs a terminal: use --progress=plain');
  }
  return Boolean(process.stdout.isTTY);
}

/** Further contexts as the daemon takes them, and the directories that go into the archive for them. */
function readContexts(given: readonly string[]) {
  const contexts: Record<string, string> = {};
  const further = new Map<string, string>();
  for (const each of given) {
    const [, name, where] = /^([^=]+)=(.+)$/s.exec(each) ?? [];
    if (name === undefined || where === undefined)
      throw new CommandError(`invalid build context ${JSON.stringify(each)}: write NAME=PATH`);
    const scheme = /^([\w-]+):\/\/|^git@/.exec(where);
    if (scheme?.[1] === 'docker-image') contexts[name] = where;
    else if (scheme !== null)
      throw new CommandError(
        `invalid build context ${JSON.stringify(each)}: it is a directory of this machine or docker-image://IMAGE`,
      );
    else {
      const inside = `.context.${further.size}-${process.pid}-${process.hrtime.bigint()}`;
      contexts[name] = inside;
      further.set(inside, where);
    }
  }
  return { contexts, further };
}

interface Sent {
  dockerfile: string;
  live: boolean;
  contexts: Record<string, string>;
}

function query(flags: Flags, { dockerfile, live, contexts }: Sent): Query {
  const json = (value: object) => unlessEmpty(value) && JSON.stringify(value);
  return {
    t: flags.tag,
    extrahosts: flags['add-host'],
    securityopt: flags['security-opt'],
    dockerfile,
    buildargs: json(buildArgs(flags['build-arg'])),
    labels: json(readPairs(flags.label)),
    ulimits: json(flags.ulimit),
    contexts: json(contexts),
    nocache: flags['no-cache'],
    pull: flags.pull,
    q: flags.quiet,
    rm: flags.rm,
    cachefrom: json(flags['cache-from']),
    isolation: flags.isolation,
    squash: flags.squash,
    target: flags.target,
    platform: flags.platform,
    networkmode: flags.network,
    cgroupparent: flags['cgroup-parent'],
    cpuperiod: flags['cpu-period'],
    cpuquota: flags['cpu-quota'],
    cpushares: flags['cpu-shares'],
    cpusetcpus: flags['cpuset-cpus'],
    cpusetmems: flags['cpuset-mems'],
    memory: flags.memory,
    memswap: flags['memory-swap'],
    shmsize: flags['shm-size'],
    live,
  };
}

async function compressed(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const [{ createGzip }, { pipeline }] = await Promise.all([import('node:zlib'), import('node:stream')]);
  const gzip = createGzip();
  // The transform reports the error.
  return pipeline(body, gzip, () => {});
}

/** A name without a value takes it from the environment, or has none. */
function buildArgs(given: readonly string[]): Record<string, string | null> {
  const found: Record<string, string | null> = {};
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (epoch) found.SOURCE_DATE_EPOCH = epoch;
  for (const each of given) {
    const [name, value = process.env[name] ?? null] = splitAt(each, '=');
    if (name === '')
      throw new CommandError(`invalid build argument: ${JSON.stringify(each)} (write NAME=VALUE)`);
    found[name] = value;
  }
  return found;
}

/** Bytes of the header with all secrets, which the daemon's server limits. */
const LARGEST_SECRETS = 700 * 1024;

function readSecrets(given: readonly string[]): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const each of given) {
    const fields = new Map(Object.entries(readPairs(decodeCsvLine(each))));
    const wrong = (why: string, cause?: unknown) =>
      new CommandError(`invalid secret ${JSON.stringify(each)}: ${why}`, { cause });
    const unknown = [...fields.keys()].find(key => !['id', 'src', 'source', 'env', 'type'].includes(key));
    if (unknown !== undefined)
      throw wrong(`unknown field ${JSON.stringify(unknown)} (it has id, src or env)`);
    const path = fields.get('src') ?? fields.get('source');
    const variable = fields.get('env');
    const id = fields.get('id');
    if (!id) throw wrong('the id is missing: id=NAME,src=FILE');
    const content = variable === undefined ? undefined : process.env[variable];
    if (variable !== undefined && content === undefined) throw wrong(`the variable ${variable} is not set`);
    try {
      secrets[id] = (content === undefined ? readFileSync(path ?? id) : Buffer.from(content)).toString(
        'base64',
      );
    } catch (cause) {
      throw wrong(`cannot read ${path ?? id}: ${fileReason(cause)}`, cause);
    }
  }
  if (Object.keys(secrets).length === 0) return {};
  const header = Buffer.from(JSON.stringify(secrets)).toString('base64');
  if (header.length > LARGEST_SECRETS) throw new CommandError('the secrets are larger than 390 KiB together');
  return { 'X-Build-Secrets': header };
}

async function registryConfig(): Promise<Record<string, string>> {
  const auths = await allAuths(process.env);
  if (Object.keys(auths).length === 0) return {};
  return { 'X-Registry-Config': Buffer.from(JSON.stringify(auths)).toString('base64url') };
}

/** Shows the build's progress. @returns the image's id */
async function show(
  lines: AsyncIterable<Line>,
  { live, quiet, tags }: { live: boolean; quiet: boolean; tags: readonly string[] },
): Promise<string | undefined> {
  const progress = live
    ? new LiveProgress({ write, columns: () => process.stdout.columns || 80 })
    : undefined;
  const pulls = progressLines({ show: quiet ? () => {} : write, terminal: false });
  // A quiet build sends its steps only when it fails, and its result otherwise.
  let told = '';
  let id: string | undefined;
  let failure: Line | undefined;
  try {
    for await (const line of lines) {
      if (line.error !== undefined || line.errorDetail !== undefined) failure = line;
      else if (line.step !== undefined) progress?.take(line.step);
      else if (line.aux?.ID !== undefined) id = line.aux.ID;
      else if (line.stream !== undefined && quiet) told += line.stream;
      else if (line.stream !== undefined) write(line.stream);
      else if (line.status !== undefined && progress === undefined) {
        const { aux: _, errorDetail: __, ...message } = line;
        pulls(message);
      }
    }
  } finally {
    progress?.end();
  }
  if (failure !== undefined) {
    process.stderr.write(told);
    const { code, message = failure.error ?? 'the build failed' } = failure.errorDetail ?? {};
    throw new CommandError(message, { exitCode: code ?? 1 });
  }
  write(told);
  if (progress !== undefined && id !== undefined) {
    write(`Successfully built ${shortId(id)}\n`);
    for (const name of tags) write(`Successfully tagged ${withLatest(name)}\n`);
  }
  return id;
}

function writeId(path: string, id: string | undefined): void {
  if (id === undefined) throw new CommandError('the daemon did not say which image it built');
  try {
    writeFileSync(path, id);
  } catch (cause) {
    throw new CommandError(`cannot write the image id to ${path}: ${fileReason(cause)}`, { cause });
  }
}
