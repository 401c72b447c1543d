// The image that a stage begins with: a local one, or one from a registry.

import { decodeReference } from '../formats/image-reference.ts';
import type { Platform } from '../formats/oci/image.ts';
import { DOCKER_HUB_KEY } from '../formats/registry-auth.ts';
import { isNoSuchImage } from '../images/errors.ts';
import type { Image } from '../images/image.ts';
import { decodePlatformText, encodePlatform, hostPlatform } from '../images/platform.ts';
import { DEFAULT_PATH } from '../runtime/execution.ts';
import { keyOf } from './cache.ts';
import type { StageOutput } from './output.ts';
import type { StageState } from './state.ts';
import type { Workspace } from './workspace.ts';

export interface BaseRequest {
  /** The image's name; 'scratch' means no image. */
  image: string;
  platform?: string;
  output: StageOutput | undefined;
}

/** @throws ImageError, RegistryError or FormatError when the image cannot be had */
export async function baseState(workspace: Workspace, request: BaseRequest): Promise<StageState> {
  const { image: name } = request;
  const asked = request.platform ?? workspace.request.platform;
  const platform = asked === undefined ? undefined : decodePlatformText(asked);
  if (name === 'scratch') return fromScratch(platform ?? hostPlatform());
  const base = await findImage(workspace, { ...request, platform });
  const { config } = base;
  for (const diffId of config.rootfs.diff_ids) workspace.hold(diffId);
  const baseDirectories = await workspace.host.images.lowerdirs(base);
  const { os, architecture, variant, author } = config;
  return {
    base,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    baseDirectories,
    layers: [],
    config: config.config ?? {},
    history: config.history ?? [],
    author,
    created: config.created ?? new Date(0).toISOString(),
    key: keyOf('image', base.id),
    ownCommand: false,
  };
}

export const fromScratch = (platform: Platform): StageState => ({
  base: undefined,
  platform,
  baseDirectories: [],
  layers: [],
  config: {},
  history: [],
  author: undefined,
  created: new Date(0).toISOString(),
  key: keyOf('scratch', encodePlatform(platform)),
  ownCommand: false,
});

async function findImage(
  { host, request, signal }: Workspace,
  { image: name, platform, output }: Omit<BaseRequest, 'platform'> & { platform: Platform | undefined },
): Promise<Image> {
  const { images } = host;
  const trusted = (image: Image): Image => {
    images.requireTrusted(image);
    return image;
  };
  const local = await images.get(name).catch((error: unknown) => {
    if (isNoSuchImage(error)) return undefined;
    throw error;
  });
  const fits = local !== undefined && isFor(local, platform);
  if (fits && !request.pull) return trusted(local);
  const embedded = request.pull ? undefined : await images.restoreEmbedded(name).catch(() => undefined);
  if (embedded !== undefined && isFor(embedded, platform)) return embedded;
  const auth = authFor(request.auths, decodeReference(name).domain);
  const { image } = await images.pull(name, {
    signal,
    ...(platform === undefined ? {} : { platform: encodePlatform(platform) }),
    ...(auth === undefined ? {} : { auth }),
    onProgress: host.progressReporter(message => void output?.progress(message)),
  });
  return image;
}

function isFor({ config }: Image, platform: Platform | undefined): boolean {
  if (platform === undefined) return true;
  const { os, architecture, variant } = platform;
  return (
    config.os === os &&
    config.architecture === architecture &&
    (variant === undefined || (config.variant ?? variant) === variant)
  );
}

const authFor = (auths: Workspace['request']['auths'], domain: string) =>
  auths[domain] ?? auths[`https://${domain}`] ?? (domain === 'docker.io' ? auths[DOCKER_HUB_KEY] : undefined);

/** FROM adds a PATH when the image has none, and for scratch. */
export function withPath(state: StageState): StageState {
  const { Env = [] } = state.config;
  if (Env.some(each => each.startsWith('PATH='))) return state;
  return { ...state, config: { ...state.config, Env: [...Env, `PATH=${DEFAULT_PATH}`] } };
}
