// POST /commit: a container's changes become a layer on top of its image.

import { closeSync, openSync } from 'node:fs';
import { configure } from '../../build/configure.ts';
import { assignment } from '../../build/variables.ts';
import { parseInstructions } from '../../formats/dockerfile/dockerfile.ts';
import type { ContainerConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { decodeReference, familiarReference, withTag } from '../../formats/image-reference.ts';
import type { ProcessDefaults } from '../../formats/oci/image-config.ts';
import { shortId } from '../../formats/short-id.ts';
import type { Image } from '../../images/image.ts';
import { pack } from '../../images/pack.ts';
import { O } from '../../linux/constants.ts';
import type { CommitOptions } from '../core/engine.ts';
import { frozen } from '../life/pause.ts';
import { withImageDefaults } from '../spec/image-defaults.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

/** @returns the image's id */
export async function commitContainer(
  context: EngineContext,
  live: LiveContainer,
  options: CommitOptions,
): Promise<string> {
  const { author, comment, changes = [], reference, pause = true } = options;
  const { record } = live;
  // Settings that the client does not give come from the container, which once took them from the image.
  const merged = withImageDefaults(options.config ?? {}, imageConfig(record.config));
  const config = changedConfig(imageConfig(merged), changes);
  const base = await context.images.get(record.imageId);
  if (reference !== undefined) withTag(decodeReference(reference));
  const upperdir = openSync(context.paths.container(live.id).upperdir, O.RDONLY | O.DIRECTORY);
  try {
    await using _frozen = pause ? await frozen(context, live) : undefined;
    const image = await context.images.create({
      base,
      layer: pack({ fd: upperdir, whiteouts: true }),
      config,
      created: new Date().toISOString(),
      createdBy: [record.path, ...record.args].join(' '),
      ...(author ? { author } : {}),
      ...(comment ? { comment } : {}),
      references: reference === undefined ? [] : [reference],
      unpackLater: true,
    });
    const name = reference === undefined ? '' : familiarReference(withTag(decodeReference(reference)));
    containerEvent(context, live, 'commit', { comment: comment ?? '', imageID: image.id, imageRef: name });
    if (name !== '') context.events.emit('image', 'tag', { id: image.id, attributes: { name } });
    unpack(context, image);
    return image.id;
  } finally {
    closeSync(upperdir);
  }
}

/** Unpacks the image in the background: only a container that uses it needs the files. */
function unpack({ images, warn }: EngineContext, image: Image): void {
  images.loose
    .holding(async hold => {
      for (const diffId of image.config.rootfs.diff_ids) hold(diffId);
      await images.lowerdirs(image);
    })
    .catch(error => warn(`image ${shortId(image.id)}: cannot be unpacked: ${(error as Error).message}`));
}

/** The part of a container's configuration that goes into an image. */
function imageConfig(config: ContainerConfig): ProcessDefaults {
  const { User, WorkingDir, StopSignal, StopTimeout, Env, Cmd, Entrypoint, Labels, Shell, OnBuild } = config;
  const { Healthcheck } = config;
  const ports = Object.keys(config.ExposedPorts ?? {});
  const volumes = Object.keys(config.Volumes ?? {});
  return {
    ...(User ? { User } : {}),
    ...(ports.length > 0 ? { ExposedPorts: places(ports) } : {}),
    ...(Env?.length ? { Env } : {}),
    ...(Entrypoint?.length ? { Entrypoint } : {}),
    ...(Cmd?.length ? { Cmd } : {}),
    ...(volumes.length > 0 ? { Volumes: places(volumes) } : {}),
    ...(WorkingDir ? { WorkingDir } : {}),
    ...(Labels && Object.keys(Labels).length > 0 ? { Labels } : {}),
    ...(StopSignal ? { StopSignal } : {}),
    ...(StopTimeout === undefined || StopTimeout === null ? {} : { StopTimeout }),
    ...(Shell?.length ? { Shell } : {}),
    ...(OnBuild?.length ? { OnBuild } : {}),
    ...(Healthcheck ? { Healthcheck } : {}),
  };
}

const places = (names: string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.map(name => [name, {}]));

const CHANGES = [
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'stopsignal',
  'user',
  'volume',
  'workdir',
];

/** @throws badParameter when a change is no instruction, or needs more than a configuration */
export function changedConfig(config: ProcessDefaults, changes: readonly string[]): ProcessDefaults {
  let next = config;
  for (const instruction of changes.flatMap(change => parseInstructions(change, '--change'))) {
    if (!CHANGES.includes(instruction.kind)) {
      throw badParameter(
        `${instruction.kind.toUpperCase()} is not a valid change command (it is one of ${CHANGES.join(', ').toUpperCase()})`,
      );
    }
    const values = new Map((next.Env ?? []).map(assignment));
    const expansion = { escape: '\\', lookup: (name: string) => values.get(name) };
    next = configure(instruction, { config: next, expansion, ownCommand: true })?.config ?? next;
  }
  return next;
}
