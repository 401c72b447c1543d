// Decodes `--volume` as the API carries it (HostConfig.Binds): 'source:destination[:options]'.

import { FormatError } from '../../formats/errors.ts';
import { isTooLong, tooLong } from '../../formats/path-length.ts';
import { NAME } from '../state/names.ts';

export interface Bind {
  /** An absolute path on the host, or the name of a volume; '' for an anonymous one. */
  source: string;
  isVolume: boolean;
  /** Path in the container: absolute, without '.', '..' and a trailing slash. */
  destination: string;
  readOnly: boolean;
  /** 'rprivate', 'rslave', …; '' when the user gave none. */
  propagation: string;
  /** For a volume: do not copy the image's files into it. */
  noCopy: boolean;
  /** The options as the user wrote them, for `inspect`. */
  mode: string;
}

const PROPAGATION = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
/** Options for SELinux and Docker Desktop, which have no effect here. */
const WITHOUT_EFFECT = new Set(['z', 'Z', 'consistent', 'cached', 'delegated']);

/** @throws FormatError when it is not such a text, in Docker's words */
export function decodeBind(text: string): Bind {
  const invalid = (why = '') => new FormatError(`invalid volume specification: '${text}'${why}`);
  const parts = text.split(':');
  // A destination alone asks for an anonymous volume.
  if (parts.length === 1) parts.unshift('');
  const [source = '', destination = '', mode = ''] = parts;
  if (parts.length > 3 || destination === '' || text.startsWith(':')) throw invalid();
  const isVolume = !source.startsWith('/');
  const options = decodeOptions(mode);
  if (isVolume && source !== '') checkVolumeName(source);
  if (options.noCopy && !isVolume) throw new FormatError(`invalid mode: ${mode}: nocopy is for volumes`);
  if (options.propagation !== '' && isVolume) {
    throw invalid(': invalid mount config for type "volume": field BindOptions must not be specified');
  }
  return {
    source: isVolume ? source : cleanPath(source),
    isVolume,
    destination: checkedDestination(destination, why =>
      invalid(`: invalid mount config for type "${isVolume ? 'volume' : 'bind'}": ${why}`),
    ),
    ...options,
    mode,
  };
}

export const isPropagation = (mode: string): boolean => mode === '' || PROPAGATION.has(mode);

export function checkVolumeName(name: string): void {
  if (NAME.test(name)) return;
  throw new FormatError(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );
}

/** Normalises a mount's path in the container. A mount over / would hide the image. */
export function checkedDestination(
  path: string,
  invalid: (why: string) => Error = why => new FormatError(why),
): string {
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  if (isTooLong(path)) throw invalid(`invalid mount path: ${tooLong(path)}`);
  const clean = cleanPath(path);
  if (clean === '/') throw invalid("invalid specification: destination can't be '/'");
  return clean;
}

/** An absolute path without '.', '..', double slashes and a trailing slash. Purely textual. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function decodeOptions(mode: string): Pick<Bind, 'readOnly' | 'propagation' | 'noCopy'> {
  const result = { readOnly: false, propagation: '', noCopy: false };
  const seen = new Set<string>();
  for (const option of mode === '' ? [] : mode.split(',')) {
    if (seen.has(option)) throw new FormatError(`invalid mode: ${mode}`);
    seen.add(option);
    if (option === 'ro') result.readOnly = true;
    else if (option === 'nocopy') result.noCopy = true;
    else if (PROPAGATION.has(option) && result.propagation === '') result.propagation = option;
    else if (option !== 'rw' && !WITHOUT_EFFECT.has(option)) throw new FormatError(`invalid mode: ${mode}`);
  }
  if (seen.has('ro') && seen.has('rw')) throw new FormatError(`invalid mode: ${mode}`);
  return result;
}
