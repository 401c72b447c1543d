// Selects the certificates for a daemon over TCP: docker's flags and variables.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type FlagValues, text, toggle } from '../flags/flags.ts';
import type { TlsFiles } from './http-connection.ts';

export const TLS_FLAGS = {
  tls: toggle('Use TLS for TCP ($DOCKER_TLS)'),
  tlscacert: text('string', 'Trust daemons whose certificate this one has signed'),
  tlscert: text('string', 'The certificate of this client'),
  tlskey: text('string', 'Its key'),
  tlsverify: toggle('Use TLS, and verify the daemon ($DOCKER_TLS_VERIFY)'),
};

/** Files that are not named come from DOCKER_CERT_PATH, else from ~/.docker, if they exist. */
export function tlsFiles(
  flags: FlagValues<typeof TLS_FLAGS>,
  environment: NodeJS.ProcessEnv,
): TlsFiles | undefined {
  const verify = flags.tlsverify || Boolean(environment.DOCKER_TLS_VERIFY);
  if (!verify && !flags.tls && !environment.DOCKER_TLS) return undefined;
  const directory = environment.DOCKER_CERT_PATH || join(environment.HOME || '/', '.docker');
  const file = (named: string | undefined, name: string): string | undefined => {
    const usual = join(directory, name);
    return named ?? (existsSync(usual) ? usual : undefined);
  };
  const [ca, cert, key] = [
    file(flags.tlscacert, 'ca.pem'),
    file(flags.tlscert, 'cert.pem'),
    file(flags.tlskey, 'key.pem'),
  ];
  return { verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
