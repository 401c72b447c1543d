import type { SystemInfo } from '../../formats/engine-api/system.ts';
import { VERSION } from '../../formats/program-version.ts';
import { encodeBinarySize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { text } from '../flags/flags.ts';
import { print, printError, write } from '../show/output.ts';
import { formatted } from '../show/template.ts';

export const info = command({
  usage: '[OPTIONS]',
  flags: { format: text('string', 'Format the output using the given Go template', 'f') },
  examples: [["info -f '{{.CgroupVersion}}'", "Show the host's cgroup version"]],
  async run({ flags, daemon }) {
    const facts = await daemon.json<SystemInfo>('GET', '/info');
    if (flags.format === 'json') print(JSON.stringify(facts));
    else if (flags.format)
      print(await formatted(flags.format, facts, { nil: { Warnings: 'list', Labels: 'list' } }));
    else {
      write(describe(facts));
      for (const warning of facts.Warnings ?? []) printError(warning);
    }
  },
});

type Line = readonly [indent: number, name: string, value: unknown];

function describe(facts: SystemInfo): string {
  const proxies: Line[] = [
    [1, 'HTTP Proxy', facts.HttpProxy],
    [1, 'HTTPS Proxy', facts.HttpsProxy],
    [1, 'No Proxy', facts.NoProxy],
  ];
  const lines: Line[] = [
    [0, 'Client', ''],
    [1, 'Version', VERSION],
    [0, '', undefined],
    [0, 'Server', ''],
    [1, 'Containers', facts.Containers],
    [2, 'Running', facts.ContainersRunning],
    [2, 'Paused', facts.ContainersPaused],
    [2, 'Stopped', facts.ContainersStopped],
    [1, 'Images', facts.Images],
    [1, 'Server Version', facts.ServerVersion],
    [1, 'Storage Driver', facts.Driver],
    ...(facts.DriverStatus ?? []).map(([name, value]): Line => [2, name, value]),
    [1, 'Logging Driver', facts.LoggingDriver],
    [1, 'Cgroup Driver', facts.CgroupDriver],
    [1, 'Cgroup Version', facts.CgroupVersion],
    [1, 'Plugins', ''],
    [2, 'Volume', (facts.Plugins?.Volume ?? []).join(' ')],
    [2, 'Network', (facts.Plugins?.Network ?? []).join(' ')],
    [2, 'Log', (facts.Plugins?.Log ?? []).join(' ')],
    [1, 'Swarm', facts.Swarm?.LocalNodeState],
    [
      1,
      'Runtimes',
      Object.keys(facts.Runtimes ?? {})
        .sort()
        .join(' '),
    ],
    [1, 'Default Runtime', facts.DefaultRuntime],
    [1, 'Init Binary', facts.InitBinary],
    ...securityLines(facts.SecurityOptions ?? []),
    [1, 'Kernel Version', facts.KernelVersion],
    [1, 'Operating System', facts.OperatingSystem],
    [1, 'OSType', facts.OSType],
    [1, 'Architecture', facts.Architecture],
    [1, 'CPUs', facts.NCPU],
    [1, 'Total Memory', encodeBinarySize(facts.MemTotal)],
    [1, 'Name', facts.Name],
    [1, 'ID', facts.ID],
    [1, 'Docker Root Dir', facts.DockerRootDir],
    [1, 'Debug Mode', facts.Debug],
    ...proxies.filter(([, , value]) => value),
    [1, 'Experimental', facts.ExperimentalBuild],
    ...list('Labels', facts.Labels),
    ...list('Insecure Registries', insecureRegistries(facts.RegistryConfig)),
    ...list('Registry Mirrors', facts.RegistryConfig?.Mirrors),
    [1, 'Live Restore Enabled', facts.LiveRestoreEnabled],
    ...list(
      'Default Address Pools',
      facts.DefaultAddressPools?.map(({ Base, Size }) => `Base: ${Base}, Size: ${Size}`),
    ),
  ];
  return lines
    .map(
      ([indent, name, value]) =>
        `${' '.repeat(indent)}${name}${value === undefined ? '' : `: ${value}`.trimEnd()}\n`,
    )
    .join('');
}

/** Another engine may leave out any field. */
const list = (name: string, values: readonly string[] | undefined): Line[] =>
  values === undefined || values.length === 0
    ? []
    : [[1, name, ''], ...values.map((value): Line => [2, value, undefined])];

const insecureRegistries = (config: SystemInfo['RegistryConfig'] | undefined): string[] => [
  ...Object.values(config?.IndexConfigs ?? {}).flatMap(({ Name, Secure }) => (Secure ? [] : [Name])),
  ...(config?.InsecureRegistryCIDRs ?? []),
];

/** 'name=seccomp,profile=default' */
function securityLines(options: string[]): Line[] {
  if (options.length === 0) return [];
  const lines: Line[] = [[1, 'Security Options', '']];
  for (const option of options) {
    const fields = option.split(',').map(field => field.split('=') as [string, string | undefined]);
    lines.push([2, fields.find(([key]) => key === 'name')?.[1] ?? option, undefined]);
    for (const [key, value] of fields) {
      if (key !== 'name') lines.push([3, key.replace(/^./, letter => letter.toUpperCase()), value]);
    }
  }
  return lines;
}
