// What the program's last lines complain about, where mini-docker knows the reason: a name that is not answered, a place
// that cannot be written to, a disk that is full.

import type { Finding } from '../../../formats/why-report.ts';
import type { Rule } from './facts.ts';

export interface ComplaintFacts {
  name: string;
  lines: readonly string[];
  /** Names of its networks. */
  networks: readonly string[];
  /** The other containers, with all names by which they are reached. */
  others: readonly {
    name: string;
    names: readonly string[];
    networks: readonly string[];
    isRunning: boolean;
  }[];
  readonlyRoot: boolean;
  /** `permissions` are those of what is mounted: 'mode 0755, owner 0, group 0'. */
  mounts: readonly { path: string; readonly: boolean; permissions?: string | undefined }[];
  /** Its user, as it was named. */
  user: string;
  /** 0 for no limit. */
  pidsLimit: number;
  /** 'host', 'bridge', … */
  networkMode: string;
  /** Its file systems in memory. */
  inMemory: readonly { path: string; size: string; flag: string }[];
  /** The file system of the host that has the layers of all containers: shares that are free. */
  disk: { place: string; space: number; files: number };
}

export const COMPLAINTS: readonly Rule<ComplaintFacts>[] = [
  nameNotFound,
  serversSilent,
  noProcess,
  addressTaken,
  notWritable,
  readOnly,
  noSpace,
];

/** How libraries and programs say that a name has no address; the first group is the name. */
const UNKNOWN_NAME: readonly RegExp[] = [
  /bad address '([^']+)'/,
  /could not resolve (?:host|hostname|proxy):? ['"]?([\w.-]+)/i,
  /\b(?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /\blookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving|\S*timeout|Temporary failure)/i,
  /could not translate host name "([^"]+)"/,
  /host not found in upstream "([^":]+)/,
  /unknown (?:\w+ ){0,2}host:? '([\w.-]+)'/i,
  /: unknown host:? ([\w.-]+)$/i,
  /UnknownHostException: ([\w.-]+)/,
  /server can't find ([\w.-]+?)\.?:/,
  /resolve host address ['‘"]([\w.-]+)/,
  /([\w.-]+): (?:Name or service not known|Temporary failure in name resolution|Name does not resolve|Try again)/,
];

function nameNotFound({ name, lines, networks, others }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => UNKNOWN_NAME.some(pattern => pattern.test(each)));
  if (line === undefined || networks.length === 0) return undefined;
  const wanted = UNKNOWN_NAME.map(pattern => pattern.exec(line)?.[1]).find(found => found !== undefined)!;
  const found = (why: string, advice: string): Finding => ({
    code: 'name-not-found',
    sentence: `${name} found no address for the name ${wanted}: ${why}.`,
    evidence: [`its log: ${line}`, `its networks: ${networks.join(', ')}`],
    advice,
  });
  const other = others.find(({ names }) => names.includes(wanted));
  const connect = `'mini-docker network create NAME', then 'mini-docker network connect NAME ${name}'`;
  if (other === undefined)
    return wanted.includes('.')
      ? found(
          'no container has it, and the name servers that it asks do not know it or do not answer',
          "Look up the name on the host. '--dns' names other servers.",
        )
      : found(
          'no container has that name or alias',
          `Correct the name, or start a container with '--name ${wanted}' or '--network-alias ${wanted}' on its network.`,
        );
  const shared = other.networks.filter(each => networks.includes(each));
  if (shared.length === 0)
    return found(
      `that container is on ${other.networks.join(', ') || 'no network'}, and a name is answered only to containers of the same network`,
      other.networks.some(each => each !== 'bridge')
        ? `Connect it: 'mini-docker network connect ${other.networks.find(each => each !== 'bridge')} ${name}'.`
        : `Give both a network: ${connect}, and the same for ${other.name}.`,
    );
  if (shared.every(each => each === 'bridge'))
    return found(
      "both are on the default network 'bridge', where containers have addresses and no names",
      `Give both a network of their own: ${connect}, and the same for ${other.name}.`,
    );
  return other.isRunning
    ? found(
        `${other.name} runs now, and its name is answered; it was not when ${name} asked`,
        'Let the program try again, or start it when the other one is healthy (depends_on in a compose file).',
      )
    : found(
        `${other.name} does not run, and only names of running containers are answered`,
        `Start it: 'mini-docker start ${other.name}'; 'mini-docker why ${other.name}' says why it ended.`,
      );
}

function serversSilent({ name, lines }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => /no servers could be reached/.test(each));
  if (line === undefined) return undefined;
  return {
    code: 'name-servers-silent',
    sentence: `The name servers that ${name} asks did not answer.`,
    evidence: [`its log: ${line}`],
    advice: `Its /etc/resolv.conf names them: look whether this host can reach them. '--dns' names others.`,
  };
}

function noProcess({ name, lines, pidsLimit }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each =>
    /can't fork|cannot fork|fork: |clone failed|pthread_create|unable to create (?:native |new )?thread/i.test(
      each,
    ),
  );
  if (line === undefined || pidsLimit <= 0) return undefined;
  return {
    code: 'no-more-processes',
    sentence: `${name} could not start another process or thread: it may have ${pidsLimit}.`,
    evidence: [`its log: ${line}`, `'--pids-limit ${pidsLimit}'`],
    advice: `Allow more with 'mini-docker update --pids-limit N ${name}', or look why it starts so many.`,
  };
}

function addressTaken({ name, lines, networkMode }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => /address (?:already )?in use|\bEADDRINUSE\b/i.test(each));
  if (line === undefined) return undefined;
  const isShared = networkMode === 'host' || networkMode.startsWith('container:');
  const where = networkMode === 'host' ? 'this host' : 'the container whose network it shares';
  return {
    code: 'address-taken',
    sentence: isShared
      ? `${name} could not listen on its port: it has no network of its own, and a program of ${where} listens there.`
      : `${name} could not listen on its port: another program in ${name} listens there already.`,
    evidence: [`its log: ${line}`, `its network mode: ${networkMode}`],
    advice: isShared
      ? "Give it a network of its own (without '--network'), or another port; 'ss -ltnp' shows who listens."
      : 'Look whether it starts its server twice, or two servers with the same port.',
  };
}

/** A volume that belongs to another user. */
function notWritable({ name, lines, mounts, user }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => /permission denied|\bEACCES\b/i.test(each));
  const path = line === undefined ? undefined : pathIn(line);
  const mount = path === undefined ? undefined : placeOf(path, mounts);
  if (mount?.permissions === undefined) return undefined;
  return {
    code: 'not-allowed-in-mount',
    sentence: `${name} was refused at ${path}: ${mount.path} is mounted from outside, with an owner and permissions of its own, and the program runs as the user ${user}.`,
    evidence: [`its log: ${line}`, `${mount.path}: ${mount.permissions}`],
    advice: `Change the owner of what is mounted ('chown'), or run the container as its owner ('--user').`,
  };
}

/** The first absolute path of a line. */
const pathIn = (line: string): string | undefined => /(?:^|[\s'"‘“(])(\/[^\s:'"’”)]*)/.exec(line)?.[1];

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);

/** The innermost of places that a path is in. */
function placeOf<P extends { path: string }>(path: string, places: readonly P[]): P | undefined {
  return places
    .filter(each => isBelow(path, each.path))
    .sort((a, b) => a.path.length - b.path.length)
    .at(-1);
}

function readOnly({ name, lines, readonlyRoot, mounts, inMemory }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => /read-only file ?system|\bEROFS\b/i.test(each));
  if (line === undefined) return undefined;
  const path = pathIn(line);
  const mount =
    path === undefined
      ? undefined
      : placeOf(path, [...mounts, ...inMemory.map(({ path }) => ({ path, readonly: false }))]);
  const found = (what: string, advice: string): Finding => ({
    code: 'read-only',
    sentence: `${name} tried to write ${path ?? 'a file'}, and ${what}.`,
    evidence: [`its log: ${line}`],
    advice,
  });
  if (mount?.readonly)
    return found(
      `${mount.path} is mounted read-only`,
      "Mount it without 'ro' or 'readonly' if the program shall change it.",
    );
  if (path !== undefined && ['/proc', '/sys'].some(each => isBelow(path, each)))
    return found(
      "the kernel's settings are read-only in a container",
      "'--sysctl' sets those that belong to the container; others are set on the host.",
    );
  if (!readonlyRoot) return undefined;
  return found(
    "its root is read-only ('--read-only')",
    "Give it a place to write: '--tmpfs DIRECTORY' for what may be lost, '-v NAME:DIRECTORY' for what may not.",
  );
}

/** Free shares of a file system below this are its end; ext4 keeps 5 % for root. */
const NONE = 0.002;

function noSpace({ name, lines, inMemory, disk }: ComplaintFacts): Finding | undefined {
  const line = lines.findLast(each => /no space left on device|\bENOSPC\b|disk quota exceeded/i.test(each));
  if (line === undefined) return undefined;
  const path = pathIn(line);
  const place = path === undefined ? undefined : placeOf(path, inMemory);
  const found = (what: string, evidence: string[], advice: string): Finding => ({
    code: 'no-space',
    sentence: `${name} could not write ${path ?? 'a file'}: ${what}.`,
    evidence: [`its log: ${line}`, ...evidence],
    advice,
  });
  if (place !== undefined)
    return found(
      `${place.path} is a file system in memory of ${place.size}, and was full`,
      [],
      `Make it larger with '${place.flag}', or delete files there.`,
    );
  const free = [
    `free where its files are, ${disk.place}: ${percent(disk.space)} of the space, ${percent(disk.files)} of the files`,
  ];
  const clean =
    "'mini-docker system df' shows what takes it, and 'mini-docker system prune' removes what is not used.";
  if (disk.space < NONE) return found("the host's disk is full", free, clean);
  if (disk.files < NONE)
    return found("the host's file system has no room for more files (inodes)", free, clean);
  return found(
    "the file system was full; the host's disk has room now",
    [...free, ...inMemory.map(each => `${each.path} has ${each.size} in memory ('${each.flag}')`)],
    'Look for the place that it writes to: a volume of limited size, a file system in memory, or a disk that was full then.',
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
