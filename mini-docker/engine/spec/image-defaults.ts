// Merges the user's configuration with the image's, by docker's rules.

import type { ContainerConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { ProcessDefaults } from '../../formats/oci/image-config.ts';

/**
 * Returns a new configuration; the arguments stay unchanged. @throws badParameter when there is no
 * command
 */
export function withImageDefaults(user: ContainerConfig, image: ProcessDefaults): ContainerConfig {
  const config: ContainerConfig = {
    ...user,
    User: user.User || image.User || '',
    WorkingDir: user.WorkingDir || image.WorkingDir || '',
    Env: mergedEnv(user.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...user.Labels },
    ...command(user, image),
  };
  const ports = { ...image.ExposedPorts, ...user.ExposedPorts };
  const volumes = { ...image.Volumes, ...user.Volumes };
  const healthcheck = mergedHealthcheck(user.Healthcheck, image.Healthcheck);
  setOrDelete(config, 'ExposedPorts', Object.keys(ports).length > 0 ? ports : undefined);
  setOrDelete(config, 'Volumes', Object.keys(volumes).length > 0 ? volumes : undefined);
  setOrDelete(config, 'Healthcheck', healthcheck);
  setOrDelete(config, 'StopSignal', user.StopSignal || image.StopSignal);
  setOrDelete(config, 'StopTimeout', user.StopTimeout ?? image.StopTimeout);
  setOrDelete(config, 'Shell', user.Shell?.length ? user.Shell : image.Shell);
  return config;
}

/** The program and its arguments. */
export function commandLine(config: ContainerConfig): { path: string; args: string[] } {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw badParameter('no command specified');
  return { path, args };
}

/**
 * An entrypoint from the user discards the image's Cmd; `--entrypoint ''` is sent as [''] and removes the
 * entrypoint.
 */
function command(user: ContainerConfig, image: ProcessDefaults): Pick<ContainerConfig, 'Cmd' | 'Entrypoint'> {
  const cmd = user.Cmd?.length ? user.Cmd : null;
  const entrypoint = user.Entrypoint ?? null;
  if (entrypoint?.length === 1 && entrypoint[0] === '') return { Cmd: cmd, Entrypoint: null };
  if (entrypoint?.length) return { Cmd: cmd, Entrypoint: entrypoint };
  return { Cmd: cmd ?? image.Cmd ?? null, Entrypoint: user.Entrypoint ?? image.Entrypoint ?? null };
}

/** The user's variables, then the image's variables with other names. */
function mergedEnv(user: string[], image: string[]): string[] {
  const given = new Set(user.map(variableName));
  return [...user, ...image.filter(each => !given.has(variableName(each)))];
}

function variableName(assignment: string): string {
  return assignment.split('=', 1)[0]!;
}

function mergedHealthcheck(
  user: ContainerConfig['Healthcheck'],
  image: ProcessDefaults['Healthcheck'],
): ContainerConfig['Healthcheck'] {
  if (!user || !image) return user ?? image;
  return {
    ...image,
    ...Object.fromEntries(Object.entries(user).filter(([, value]) => value !== 0)),
    Test: user.Test?.length ? user.Test : (image.Test ?? []),
  };
}

function setOrDelete<K extends keyof ContainerConfig>(
  config: ContainerConfig,
  key: K,
  value: ContainerConfig[K] | undefined,
): void {
  if (value === undefined) delete config[key];
  else config[key] = value;
}
