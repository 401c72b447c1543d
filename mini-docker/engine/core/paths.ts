// Paths of all files of the engine. The data root survives a reboot; the run directory (usually a tmpfs) does
// not.

import { join } from 'node:path';

export interface DataPaths {
  dataRoot: string;
  runDir: string;
  containers: string;
  volumes: string;
  /** The layer of mount points. */
  initLayer: string;
  /** Files of one container on disk. */
  container(id: string): ContainerPaths;
}

export interface ContainerPaths {
  directory: string;
  /** The container's record. */
  config: string;
  log: string;
  /** overlay's writable layer, and the scratch directory it wants beside it. */
  upperdir: string;
  workdir: string;
  /**
   * The container's own files of /etc. They are on disk like its layer: a program that fills them must not
   * fill the run directory.
   */
  hostname: string;
  hosts: string;
  resolvConf: string;
  /** Directory below the run directory, for files that exist only while the container runs. */
  run: string;
}

export function dataPaths(roots: { dataRoot: string; runDir: string }): DataPaths {
  const containers = join(roots.dataRoot, 'containers');
  return {
    ...roots,
    containers,
    volumes: join(roots.dataRoot, 'volumes'),
    initLayer: join(roots.dataRoot, 'init-layer'),
    container: id => containerPaths({ id, directory: join(containers, id), runDir: roots.runDir }),
  };
}

function containerPaths(options: { id: string; directory: string; runDir: string }): ContainerPaths {
  const { id, directory, runDir } = options;
  return {
    directory,
    config: join(directory, 'config.json'),
    log: join(directory, `${id}-json.log`),
    upperdir: join(directory, 'upper'),
    workdir: join(directory, 'work'),
    hostname: join(directory, 'hostname'),
    hosts: join(directory, 'hosts'),
    resolvConf: join(directory, 'resolv.conf'),
    run: join(runDir, 'containers', id),
  };
}
