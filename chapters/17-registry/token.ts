// A token says what its bearer may do, and is signed by whoever gives tokens: the registry needs no list of them.
// Real ones are JSON Web Tokens, which the registry checks with a public key.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const key = randomBytes(32);

function signatureOf(claims: string): Buffer {
  return createHmac('sha256', key).update(claims).digest();
}

/** @param scopes the rights that a client asks for. This server knows no users: it lets every client pull, and none push. */
export function giveToken(scopes: readonly string[]): string {
  const granted = scopes.map(scope => scope.replace(/:[^:]*$/, ':pull'));
  const claims = Buffer.from(granted.join(' ')).toString('base64url');
  return `${claims}.${signatureOf(claims).toString('base64url')}`;
}

/** @param scope 'repository:tools/busybox:pull'; the empty one stands for anything that needs only a valid token */
export function allows(token: string | undefined, scope: string): boolean {
  const [claims = '', signature = ''] = (token ?? '').split('.');
  const [given, right] = [Buffer.from(signature, 'base64url'), signatureOf(claims)];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return false;
  return scope === '' || Buffer.from(claims, 'base64url').toString().split(' ').includes(scope);
}
