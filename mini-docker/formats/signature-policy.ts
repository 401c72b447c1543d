// The policy for signatures: which images are accepted from where. containers-policy.json(5)
import { duplicateKey } from './duplicate-key.ts';
import { FormatError } from './errors.ts';
import { encodeReference, type ImageReference } from './image-reference.ts';
import { fieldsOf, parseObject, string, strings } from './schema.ts';

export type Requirement =
  | { type: 'insecureAcceptAnything' }
  | { type: 'reject' }
  /** One of the keys must have signed it. `files` are paths of PEM files, `data` their content in base64. */
  | { type: 'sigstoreSigned'; files: string[]; data: string[]; identity: Identity };

/** Which name a signature must be for. */
export type Identity =
  | { type: 'matchExact' | 'matchRepoDigestOrExact' | 'matchRepository' }
  | { type: 'exactReference'; dockerReference: string }
  | { type: 'exactRepository'; dockerRepository: string }
  | { type: 'remapIdentity'; prefix: string; signedPrefix: string };

export interface SignaturePolicy {
  default: Requirement[];
  /** By transport ('docker', 'docker-archive'), and by scope in it. */
  transports: Map<string, Map<string, Requirement[]>>;
}

/** Unknown keys are refused: an ignored one could be a requirement. @throws FormatError */
export function decodePolicy(text: string | Uint8Array): SignaturePolicy {
  const fields = only(parseObject(text, 'the policy'), ['default', 'transports'], 'the policy');
  const twice = duplicateKey(typeof text === 'string' ? text : new TextDecoder().decode(text));
  if (twice !== undefined)
    throw new FormatError(
      `the policy has ${JSON.stringify(twice)} twice in one object: only one could count`,
    );
  if (fields.default === undefined) throw new FormatError("the policy's default is missing");
  const transports = Object.entries(fieldsOf(fields.transports ?? {}, 'transports')).map(
    ([transport, scopes]): [string, Map<string, Requirement[]>] => {
      const place = `transports.${transport}`;
      const entries = Object.entries(fieldsOf(scopes, place));
      return [
        transport,
        new Map(entries.map(([scope, list]) => [scope, requirements(list, `${place}.${scope}`)])),
      ];
    },
  );
  return { default: requirements(fields.default, 'default'), transports: new Map(transports) };
}

/** The requirements with the most specific scope, all of which must be met, and their place in the policy. */
export function requirementsFor(
  policy: SignaturePolicy,
  transport: string,
  reference?: ImageReference,
): { requirements: Requirement[]; place: string } {
  const scopes = policy.transports.get(transport);
  for (const scope of [...(reference === undefined ? [] : scopesOf(reference)), '']) {
    const requirements = scopes?.get(scope);
    if (requirements !== undefined)
      return { requirements, place: `transports.${transport}.${JSON.stringify(scope)}` };
  }
  return { requirements: policy.default, place: 'default' };
}

/** 'docker.io/library/busybox:latest', 'docker.io/library/busybox', 'docker.io/library', 'docker.io', '*.io' */
function scopesOf(reference: ImageReference): string[] {
  const { domain, path } = reference;
  const parts = path.split('/');
  const labels = domain.replace(/:\d+$/, '').split('.');
  return [
    encodeReference(reference),
    ...parts.map((_, index) => [domain, ...parts.slice(0, parts.length - index)].join('/')),
    domain,
    ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`),
  ];
}

function requirements(value: unknown, place: string): Requirement[] {
  // An empty list would accept nothing or everything, depending on the reader.
  if (!Array.isArray(value) || value.length === 0) {
    throw new FormatError(`${place} must be a list of at least one requirement`);
  }
  return value.map((each, index) => requirement(fieldsOf(each, `${place}[${index}]`), `${place}[${index}]`));
}

const KEYS = ['keyPath', 'keyPaths', 'keyData', 'keyDatas'];

function requirement(fields: Record<string, unknown>, place: string): Requirement {
  const type = string(fields.type, `${place}.type`);
  if (type === 'insecureAcceptAnything' || type === 'reject') {
    only(fields, ['type'], place);
    return { type };
  }
  if (type !== 'sigstoreSigned') {
    throw new FormatError(
      `${place}.type is ${JSON.stringify(type)}: there are insecureAcceptAnything, reject and sigstoreSigned (signatures by GPG are not supported)`,
    );
  }
  only(fields, ['type', 'signedIdentity', ...KEYS], place);
  const files = [fields.keyPath ?? [], fields.keyPaths ?? []].flat();
  const data = [fields.keyData ?? [], fields.keyDatas ?? []].flat();
  if (KEYS.filter(key => fields[key] !== undefined).length !== 1 || files.length + data.length === 0) {
    throw new FormatError(`${place} needs exactly one of ${KEYS.join(', ')}`);
  }
  return {
    type,
    files: strings(files, `${place}.keyPaths`),
    data: strings(data, `${place}.keyDatas`),
    identity: identity(fields.signedIdentity, `${place}.signedIdentity`),
  };
}

function identity(value: unknown, place: string): Identity {
  if (value === undefined) return { type: 'matchRepoDigestOrExact' };
  const fields = fieldsOf(value, place);
  const text = (key: string): string => string(fields[key], `${place}.${key}`);
  const type = text('type');
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      only(fields, ['type'], place);
      return { type };
    case 'exactReference':
      only(fields, ['type', 'dockerReference'], place);
      return { type, dockerReference: text('dockerReference') };
    case 'exactRepository':
      only(fields, ['type', 'dockerRepository'], place);
      return { type, dockerRepository: text('dockerRepository') };
    case 'remapIdentity':
      only(fields, ['type', 'prefix', 'signedPrefix'], place);
      return { type, prefix: text('prefix'), signedPrefix: text('signedPrefix') };
    default:
      throw new FormatError(`${place}.type is ${JSON.stringify(type)}, which is not known`);
  }
}

function only(fields: Record<string, unknown>, known: string[], place: string): Record<string, unknown> {
  const strange = Object.keys(fields).find(key => !known.includes(key));
  if (strange === undefined) return fields;
  throw new FormatError(
    `${place}: ${JSON.stringify(strange)} is not supported; there are ${known.join(', ')}`,
  );
}
