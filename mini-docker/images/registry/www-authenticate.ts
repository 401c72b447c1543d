// Decodes the WWW-Authenticate header of a registry's 401 (RFC 9110, 11.6.1; distribution specification,
// "Token Authentication").

export interface Challenge {
  /** Lower case: 'bearer', 'basic'. */
  scheme: string;
  /** Keys in lower case: realm, service, scope. */
  parameters: Record<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*`);
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+|$)`);

/** Malformed challenges are skipped, since another one may be usable. */
export function decodeChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header.trim();
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const scheme = parameter === null ? SCHEME.exec(rest) : null;
    if (parameter !== null) {
      const [whole, key, quoted, plain] = parameter;
      const current = challenges.at(-1);
      if (current !== undefined) {
        current.parameters[key!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
      }
      rest = rest.slice(whole.length);
    } else if (scheme !== null) {
      challenges.push({ scheme: scheme[1]!.toLowerCase(), parameters: {} });
      rest = rest.slice(scheme[0].length);
    } else {
      rest = rest.slice(1);
    }
    rest = rest.replace(/^[\s,]+/, '');
  }
  return challenges;
}
