// The top level of a compose file.

import { service } from './service.ts';
import {
  boolean,
  byKind,
  type Infer,
  ignored,
  labels,
  list,
  map,
  object,
  oneOrMore,
  orNothing,
  path,
  type Shape,
  text,
  unsupported,
} from './shapes.ts';
import { wrongAt } from './source.ts';

/** `external: true`, or, as in files before version 3.4, `external: {name: …}`. */
const external = byKind<boolean | { name?: string }>({ scalar: boolean, map: object({ name: text }) });

const pool = object({ subnet: text, ip_range: text, gateway: text, aux_addresses: map(text) });
const network = object({
  name: text,
  driver: text,
  driver_opts: map(text),
  attachable: boolean,
  enable_ipv4: boolean,
  enable_ipv6: boolean,
  external,
  internal: boolean,
  ipam: object({ driver: text, config: list(pool), options: map(text) }),
  labels,
});
const volume = object({ name: text, driver: text, driver_opts: map(text), external, labels });

const fileObject = object({
  name: text,
  file: path,
  content: text,
  environment: text,
  external,
  driver: unsupported('there are no drivers of secrets and configs'),
  template_driver: unsupported('there are no drivers of secrets and configs'),
  labels,
});
const file: Shape<Infer<typeof fileObject>> = (source, context) => {
  const found = fileObject(source, context);
  const { file, content, environment, external } = found;
  const given = [file, content, environment, external || undefined].filter(each => each !== undefined);
  if (given.length !== 1)
    throw wrongAt(
      source,
      given.length === 0
        ? 'has none of file, content, environment and external'
        : 'has more than one of file, content, environment and external, of which only one can stay',
    );
  return found;
};

const includeObject = object({ path: oneOrMore(path), project_directory: path, env_file: oneOrMore(path) });
const include = list(
  byKind<Infer<typeof includeObject>>({
    scalar: (source, context) => ({ path: [path(source, context)] }),
    map: includeObject,
  }),
);

export const model = object({
  version: ignored,
  name: text,
  include,
  services: map(orNothing(service)),
  networks: map(orNothing(network)),
  volumes: map(orNothing(volume)),
  secrets: map(file),
  configs: map(file),
  models: unsupported('there is no runner of models here'),
});

export type Model = Infer<typeof model>;
/** A secret or config. */
export type FileThing = Infer<typeof fileObject>;
export type Network = Infer<typeof network>;
export type Volume = Infer<typeof volume>;
