import type { ContainerInspect } from '../../formats/engine-api/containers.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { print } from '../show/output.ts';

export const port = command({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  examples: [
    ['port web', 'List everything'],
    ['port web 80', 'Show where port 80 is published on the host'],
  ],
  async run({ args, daemon }) {
    const [container, wanted] = args as [string, string | undefined];
    const path = containerPath(container, '/json');
    const { NetworkSettings } = await daemon.json<ContainerInspect>('GET', path);
    const address = ({ HostIp = '', HostPort = '' }) =>
      `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
    if (wanted !== undefined) {
      const [number = '', protocol = 'tcp'] = wanted.split('/');
      if (!/^\d+$/.test(number)) throw new CommandError(`Error: invalid port (${number})`);
      const bindings = NetworkSettings.Ports?.[`${number}/${protocol}`];
      if (!bindings) throw new CommandError(`Error: No public port '${wanted}' published for ${container}`);
      for (const each of bindings) print(address(each));
      return 0;
    }
    const ports = Object.entries(NetworkSettings.Ports ?? {}).sort(
      ([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1),
    );
    for (const [each, bindings] of ports)
      for (const binding of bindings ?? []) print(`${each} -> ${address(binding)}`);
  },
});
