// The state of a stage: the image that it would be now.
import { digestOf } from '../formats/oci/digest.ts';
import { encodeJson, type Platform } from '../formats/oci/image.ts';
import type { History, ImageConfig, ProcessDefaults } from '../formats/oci/image-config.ts';
import type { Image, LooseLayer } from '../images/image.ts';
import { BuildError } from './errors.ts';

export interface StageState {
  /** undefined: from scratch. */
  base: Image | undefined;
  platform: Platform;
  /** Topmost first: those of the base. */
  baseDirectories: string[];
  /** On top of the base's, from the bottom. */
  layers: LooseLayer[];
  config: ProcessDefaults;
  /** Of the base and of the stage. */
  history: History[];
  author: string | undefined;
  /** RFC 3339: of the last step. */
  created: string;
  /** Stands for everything that led here. */
  key: string;
  /** CMD was said in this Dockerfile. */
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

/** Bytes of an image's configuration; registries take no larger ones (distribution specification, "Pushing manifests"). */
const LARGEST_CONFIG = 4 << 20;

/** The id of that image. Throws BuildError when variables, labels and history have become too large for one. */
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

/** Nothing was added to the base image. */
export const isBase = ({ base, history }: StageState): boolean =>
  history.length === (base?.config.history?.length ?? 0);
