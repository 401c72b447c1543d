// mount -t overlay, whose reasons the kernel writes only to its log. Documentation/filesystems/overlayfs.rst,
// fs/overlayfs/
import type { MountInfo } from '../proc/mountinfo.ts';
import { type Explanation, type Failed, type Hint, hint } from './hint.ts';
import { absolute, mountHolding, reachable, statOf } from './probes.ts';

/**
 * Directories are examined in our own mount namespace even if the process had its own, which was a copy of
 * ours.
 */
interface Layers {
  lower: string[];
  upper?: string;
  work?: string;
}

const TYPE = 2;
const OPTIONS = 4;

/** Bytes of the options that mount(2) copies. */
const PAGE = 4096;
/** OVL_MAX_STACK */
const MAX_LOWER = 500;

function layersOf(failed: Failed): Layers | undefined {
  if (failed.text(TYPE) !== 'overlay') return undefined;
  const layers: Layers = { lower: [] };
  for (const option of split(failed.text(OPTIONS), ',')) {
    const equals = option.indexOf('=');
    const [name, value] = [option.slice(0, equals), option.slice(equals + 1)];
    if (name === 'lowerdir') layers.lower = split(value, ':').filter(Boolean);
    if (name === 'upperdir') layers.upper = plain(value);
    if (name === 'workdir') layers.work = plain(value);
  }
  layers.lower = layers.lower.map(plain);
  return layers;
}

/** A backslash escapes a separator. */
function split(text: string, separator: ',' | ':'): string[] {
  return text.split(separator === ',' ? /(?<!\\),/ : /(?<!\\):/);
}

function plain(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

/** An entry about an overlay's options. */
const overlay = (code: string, explain: (layers: Layers, failed: Failed) => Explanation): Hint =>
  hint(['mount'], code, failed => {
    const layers = layersOf(failed);
    return layers && explain(layers, failed);
  });

/** An entry about an overlay's directories. Relative names mean nothing once the process has ended. */
function directories(code: string, explain: (layers: Layers, failed: Failed) => Explanation): Hint {
  return overlay(code, (layers, failed) => {
    const paths = [...layers.lower, layers.upper ?? '/', layers.work ?? '/'];
    return failed.seen || paths.every(path => path.startsWith('/')) ? explain(layers, failed) : undefined;
  });
}

function readOnly(mount: MountInfo | undefined): boolean {
  return mount !== undefined && (mount.options.includes('ro') || mount.superOptions.includes('ro'));
}

/** Whether the second is the first, or lies below it. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

function onOverlay(path: string): string {
  return `${path} is itself on overlayfs, and only lower directories may be: put upperdir and workdir (an engine's data root) on another filesystem, a volume or a tmpfs`;
}

export const overlayHints: readonly Hint[] = [
  // The limit holds for any filesystem, but only an overlay's options grow that long. The rest is cut off,
  // with various effects.
  hint(['mount'], '*', failed => {
    const bytes = Buffer.byteLength(failed.text(OPTIONS));
    if (bytes >= PAGE)
      return `the options are ${bytes} bytes long, and mount(2) takes one page, ${PAGE - 1}: use shorter paths, relative to a working directory, or fsconfig(2)`;
  }),
  overlay(
    'EINVAL',
    ({ lower }) =>
      lower.length > MAX_LOWER &&
      `an overlay takes at most ${MAX_LOWER} lower directories, and these are ${lower.length}: flatten the image`,
  ),
  overlay(
    'EINVAL',
    ({ upper, work }) =>
      upper !== undefined && work === undefined && 'upperdir needs a workdir beside it, on the same mount',
  ),
  overlay('EINVAL', ({ lower }) =>
    lower.length === 0 ? 'an overlay needs at least one lowerdir' : undefined,
  ),
  directories('ENOENT', ({ lower, upper, work }, failed) => {
    const missing = [...lower, upper, work].find(
      path => path !== undefined && statOf(failed, path) === undefined,
    );
    return missing === undefined ? undefined : `${missing}, one of the overlay's directories, does not exist`;
  }),
  directories('EINVAL', ({ upper, work }, failed) => {
    const found = [upper, work].find(path => path && mountHolding(failed, path)?.type === 'overlay');
    return found && onOverlay(found);
  }),
  hint(['fsconfig'], 'EINVAL', failed => {
    const [option, path] = [failed.text(2), failed.text(3)];
    const isUpper = option === 'upperdir' || option === 'workdir';
    return isUpper && mountHolding(failed, path)?.type === 'overlay' ? onOverlay(path) : undefined;
  }),
  directories('EINVAL', ({ upper, work }, failed) => {
    if (upper === undefined || work === undefined) return undefined;
    if (mountHolding(failed, upper)?.id !== mountHolding(failed, work)?.id)
      return `upperdir ${upper} and workdir ${work} are on different mounts: files move from one to the other by rename`;
  }),
  directories('EINVAL', ({ upper, work }, failed) => {
    if (upper === undefined || work === undefined) return undefined;
    const [a, b] = [absolute(failed, upper), absolute(failed, work)];
    if (contains(a, b) || contains(b, a))
      return `upperdir ${upper} and workdir ${work} lie in one another: they must be separate directories`;
  }),
  directories(
    'EINVAL',
    ({ upper }, failed) =>
      upper &&
      readOnly(mountHolding(failed, upper)) &&
      `upperdir ${upper} is on a mount that is read-only: leave upperdir and workdir out for a read-only overlay`,
  ),
  directories('EINVAL', ({ lower }, failed) => {
    const stacked = lower.find(path => mountHolding(failed, path)?.type === 'overlay');
    return (
      stacked &&
      `lowerdir ${stacked} is on overlayfs, and filesystems stack two deep at most: an overlay on an overlay on an overlay is too much`
    );
  }),
  directories('ELOOP', ({ lower, upper, work }, failed) => {
    const paths = [...lower, upper, work]
      .filter(path => path !== undefined)
      .map(path => absolute(failed, path));
    const inside = paths.find((path, at) =>
      paths.some((outer, other) => other !== at && contains(outer, path)),
    );
    return inside && `${inside} lies inside of another of the overlay's directories: they must be separate`;
  }),
  directories('ESTALE', ({ upper }) =>
    upper === undefined
      ? undefined
      : `upperdir ${upper} was used with other lower directories, or copied, and the index in its workdir knows that: give it those again, take fresh ones, or mount with index=off`,
  ),
  directories(
    'EBUSY',
    ({ upper, work }, failed) =>
      upper !== undefined &&
      work !== undefined &&
      reachable(failed, upper) !== '' &&
      `upperdir ${upper} or workdir ${work} is in use by another overlay: each mount needs its own (index=off does not check)`,
  ),
];
