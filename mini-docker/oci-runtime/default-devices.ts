// What every container gets, whether its bundle names it or not (config-linux.md, "Default Devices").
import type { Device, DeviceRule, Spec } from '../formats/oci/runtime-spec.ts';

const NODES: [name: string, major: number, minor: number][] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];

const RULES: DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...NODES.map(([, major, minor]): DeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
];

/** @param listenFds number of sockets that the program is to find behind 2 (sd_listen_fds(3)) */
export function withDefaults(spec: Spec, listenFds: number): Spec {
  const { linux, process } = spec;
  const given = linux.devices ?? [];
  const missing = NODES.map(
    ([name, major, minor]): Device => ({ type: 'c', path: `/dev/${name}`, major, minor }),
  );
  const devices = [...given, ...missing.filter(({ path }) => !given.some(device => device.path === path))];
  const rules = [...(linux.resources?.devices ?? []), ...RULES];
  const env = listenFds > 0 ? [...process.env, `LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1'] : process.env;
  return {
    ...spec,
    process: { ...process, env },
    linux: { ...linux, devices, resources: { ...linux.resources, devices: rules } },
  };
}
