// Commands of Docker that are not here, and what to use instead.

const SWARM =
  "it needs a swarm. 'mini-docker compose' runs services on one host, networks of the driver overlay join hosts, and docs/kubernetes.md shows the way to more";

const ABSENT: Readonly<Record<string, string>> = {
  'compose alpha':
    "its commands are here without it: 'mini-docker compose watch', 'mini-docker compose scale'",
  'compose convert': "use 'mini-docker compose config'",
  'compose publish':
    "pass the project on as its files ('mini-docker compose config' prints them as one), and its images with 'mini-docker compose push'",
  buildx: "use 'mini-docker build'",
  checkpoint:
    'containers cannot be frozen to disk; they outlive the daemon, and `pause` stops them for a while',
  config: SWARM,
  context: 'use --host or DOCKER_HOST to reach another daemon',
  node: SWARM,
  plugin: 'there are no plug-ins; the drivers that are built in are in docs/networks.md',
  secret: SWARM,
  service: SWARM,
  stack: SWARM,
  swarm: SWARM,
  trust: "signatures are those of a policy file: see 'mini-docker image verify --help'",
};

/** @param name of an unknown command, with its group: 'compose publish', 'swarm init' */
export function remedyFor(name: string): string | undefined {
  const found = [name, name.split(' ')[0]!].find(each => Object.hasOwn(ABSENT, each));
  return found === undefined ? undefined : ABSENT[found];
}
