// Settings of a service that are right and have no effect: the same ones that Docker Compose warns of. What only a
// swarm reads (deploy.placement, update_config, rollback_config, endpoint_mode, mode) it ignores silently.
import { contentOf, filesOf } from './file-contents.ts';
import type { Project } from './project.ts';
import type { Service } from './service.ts';

type Warn = (service: Service, project: Project) => string[];

const WARNINGS: readonly Warn[] = [
  service =>
    (['cpu_count', 'cpu_percent'] as const)
      .filter(key => service[key] !== undefined)
      .map(key => `${key} has an effect on Windows only`),
  (service, project) =>
    filesOf(project, service)
      .filter(({ reference: { uid, gid, mode } }) => [uid, gid, mode].some(each => each !== undefined))
      .filter(used => contentOf(used, project) === undefined)
      .map(
        ({ kind, reference }) =>
          `${kind}s.${reference.source}: uid, gid and mode are ignored, because a file is mounted as it is`,
      ),
  ({ volumes = [] }) =>
    volumes.flatMap(({ type, target, ...mount }) =>
      (['bind', 'volume', 'tmpfs', 'image'] as const)
        .filter(kind => kind !== type && mount[kind] !== undefined)
        .map(
          kind => `volumes: the mount at ${target} is of type ${type}, and ignores its options of ${kind}`,
        ),
    ),
];

export const warningsOf = (project: Project, name: string): string[] =>
  WARNINGS.flatMap(of => of(project.services[name]!, project)).map(each => `services.${name}.${each}`);
