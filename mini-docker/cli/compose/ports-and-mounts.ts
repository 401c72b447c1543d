// A service's published ports and mounts, in their short and long forms.

import { FormatError } from '../../formats/errors.ts';
import { decodePublish } from '../run/ports.ts';
import {
  absolute,
  boolean,
  byKind,
  fileMode,
  type Infer,
  integer,
  labels,
  list,
  object,
  oneOf,
  reading,
  type Shape,
  size,
  text,
} from './shapes.ts';
import { wrongAt } from './source.ts';

const portObject = object({
  name: text,
  mode: oneOf('ingress', 'host'),
  host_ip: text,
  target: integer,
  published: text,
  protocol: oneOf('tcp', 'udp', 'sctp'),
  app_protocol: text,
});
export interface PortMapping {
  mode: string;
  host_ip?: string;
  target: number;
  published?: string;
  protocol: string;
}
const shortPort = reading('[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]', (each): PortMapping[] =>
  decodePublish(each).map(({ port, binding }) => {
    const [target = '', protocol = 'tcp'] = port.split('/');
    return {
      mode: 'ingress',
      ...(binding.HostIp === '' ? {} : { host_ip: binding.HostIp }),
      target: Number(target),
      ...(binding.HostPort === '' ? {} : { published: binding.HostPort }),
      protocol,
    };
  }),
);
export const ports: Shape<PortMapping[]> = (source, context) =>
  list(
    byKind<PortMapping[]>({
      scalar: shortPort,
      map: (each, within) => {
        const { mode = 'ingress', target, protocol = 'tcp', ...rest } = portObject(each, within);
        if (target === undefined) throw wrongAt(each, 'has no target');
        return [{ mode, target, protocol, ...rest }];
      },
    }),
  )(source, context).flat();

const mountObject = object({
  type: oneOf('bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image'),
  source: text,
  target: text,
  read_only: boolean,
  consistency: text,
  bind: object({
    propagation: text,
    create_host_path: boolean,
    selinux: text,
    recursive: oneOf('enabled', 'disabled', 'writable', 'readonly'),
  }),
  volume: object({ nocopy: boolean, subpath: text, labels }),
  image: object({ subpath: text }),
  tmpfs: object({ size, mode: fileMode }),
});
export type Mount = Infer<typeof mountObject>;

const shortMount = reading('[SOURCE:]TARGET[:MODE]', (each, context): Mount => {
  const parts = each.split(':');
  if (parts.length > 3 || parts.some(part => part === '')) throw new FormatError(`${each} is not`);
  if (parts.length === 1) return { type: 'volume', target: each };
  const [source, target, mode = ''] = parts as [string, string, string?];
  const mount: Mount = { type: 'volume', source, target };
  const isPath = /^[./~]/.test(source);
  if (isPath) Object.assign(mount, { type: 'bind', source: absolute(source, context) });
  const bind: NonNullable<Mount['bind']> = { create_host_path: true };
  for (const option of mode.split(',')) {
    if (option === 'ro') mount.read_only = true;
    else if (option === 'nocopy' && !isPath) mount.volume = { nocopy: true };
    else if (/^r?(private|shared|slave)$/.test(option) && isPath) bind.propagation = option;
    else if (/^[zZ]$/.test(option)) bind.selinux = option;
    else if (!/^(|rw|consistent|cached|delegated)$/.test(option))
      throw new FormatError(`there is no option ${JSON.stringify(option)}`);
  }
  if (isPath) mount.bind = bind;
  return mount;
});
export const mounts = list(
  byKind<Mount>({
    scalar: shortMount,
    map: (source, context) => {
      const mount = mountObject(source, context);
      if (mount.type === undefined || mount.target === undefined)
        throw wrongAt(source, `has no ${mount.type === undefined ? 'type' : 'target'}`);
      if (mount.type === 'bind') {
        if (mount.source === undefined) throw wrongAt(source, 'is a bind mount and has no source');
        mount.source = absolute(mount.source, context);
      }
      return mount;
    },
  }),
);
