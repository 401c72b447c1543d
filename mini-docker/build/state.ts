// The state of a stage: the image that it would be now.
import { digestOf } from '../formats/oci/digest.ts';
import { encodeJson, type Platform } from '../formats/oci/image.ts';
import type { History, ImageConfig, ProcessDefaults } from '../formats/oci/image-config.ts';
import type { Image, LooseLayer } from '../images/image.ts';
import { BuildError } from './errors.ts';

export interface StageState {
  /** The base image; undefined for scratch. */
  base: Image | undefined;
  platform: Platform;
  /** Directories of the base's layers, topmost first. */
  baseDirectories: string[];
  /** Layers on top of the base, bottom first. */
  layers: LooseLayer[];
  config: ProcessDefaults;
  /** History of the base and of the stage. */
  history: History[];
  author: string | undefined;
  /** Time of the last step, in RFC 3339. */
  created: string;
  /** Key of all the steps that led to this state. */
  key: string;
  /** Whether this Dockerfile has set CMD. */
  ownCommand: boolean;
}

/** The configuration of the image that the stage would be. */
export function imageConfigOf(state: StageState): ImageConfig {
  const { base, created, author, platform, config, layers, history } = state;
  const { os, architecture, variant } = platform;
  return {
    created,
    ...(author ? { author } : {}),
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config,
    rootfs: {
      type: 'layers',
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...layers.map(each => each.diffId)],
    },
    history,
  };
}

/**
 * Bytes of an image's configuration; registries take no larger ones (distribution specification, "Pushing
 * manifests").
 */
const LARGEST_CONFIG = 4 << 20;

/**
 * The id of that image.
 * @throws BuildError when variables, labels and history are too large for a configuration
 */
export function imageIdOf(state: StageState): string {
  if (state.base !== undefined && isBase(state)) return state.base.id;
  const config = encodeJson(imageConfigOf(state));
  if (config.length > LARGEST_CONFIG) {
    throw new BuildError(
      `the image's configuration (variables, labels, history) has become larger than ${LARGEST_CONFIG} bytes`,
    );
  }
  return digestOf(config);
}

/** Whether the stage has added nothing to the base image. */
export const isBase = ({ base, history }: StageState): boolean =>
  history.length === (base?.config.history?.length ?? 0);
