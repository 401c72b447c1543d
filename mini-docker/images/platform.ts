// Selects an index's image for this machine, or for a requested platform.

import type { Descriptor, Index, Platform } from '../formats/oci/image.ts';
import { isManifestType } from '../formats/oci/image.ts';
import { ImageError } from './errors.ts';

const ALIASES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
};
const normalArchitecture = (name: string): string => (Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name);

/** What may stand alone: operating systems and architectures. */
const KNOWN = new Set(
  'linux windows darwin freebsd 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(
    ' ',
  ),
);

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386' };

export const hostPlatform = (): Platform => ({
  os: 'linux',
  architecture: ARCHITECTURES[process.arch] ?? process.arch,
});

/** 'linux/arm64/v8', 'arm64', 'linux' → a platform; missing parts are this machine's. */
export function decodePlatformText(text: string): Platform {
  const host = hostPlatform();
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some(part => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new ImageError(`not a platform: ${JSON.stringify(text)} (write os/architecture, as linux/amd64)`);
  }
  if (parts.length === 1 && !KNOWN.has(normalArchitecture(parts[0]!))) {
    throw new ImageError(`${JSON.stringify(text)}: unknown operating system or architecture`);
  }
  const [os, architecture, variant] =
    parts.length === 1 && parts[0] !== 'linux' && parts[0] !== 'windows' ? ['linux', parts[0]] : parts;
  const named = architecture === undefined ? host.architecture : normalArchitecture(architecture);
  return { os: os!, architecture: named, ...(variant === undefined ? {} : { variant }) };
}

export const encodePlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** @throws ImageError when there is none */
export function choosePlatform(index: Index, wanted: Platform = hostPlatform()): Descriptor {
  const images = index.manifests.filter(each => isManifestType(each.mediaType));
  const fits = images.filter(({ platform }) => platform !== undefined && matches(platform, wanted));
  // An index with a single image need not name a platform.
  const only = images.length === 1 && images[0]!.platform === undefined ? images[0] : undefined;
  const exact = fits.find(({ platform }) => normalVariant(platform!) === normalVariant(wanted));
  const chosen = exact ?? fits[0] ?? only;
  if (chosen !== undefined) return chosen;
  const there = images.flatMap(({ platform }) => (platform === undefined ? [] : [encodePlatform(platform)]));
  throw new ImageError(`no image for ${encodePlatform(wanted)}: there is ${there.join(', ') || 'none'}`);
}

function matches(platform: Platform, wanted: Platform): boolean {
  if (platform.os !== wanted.os || normalArchitecture(platform.architecture) !== wanted.architecture)
    return false;
  return wanted.variant === undefined || normalVariant(platform) === normalVariant(wanted);
}

/** The default variants: v8 for arm64, v7 for arm. */
const normalVariant = ({ architecture, variant }: Platform): string =>
  variant ?? (architecture === 'arm64' ? 'v8' : architecture === 'arm' ? 'v7' : '');
