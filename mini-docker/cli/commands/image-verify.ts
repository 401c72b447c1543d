import { readFileSync } from 'node:fs';
import type { ImageVerification } from '../../formats/engine-api/images.ts';
import { familiarName, familiarReference, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { parsedReference } from '../daemon/images-pull.ts';
import { authHeader } from '../daemon/registry-config.ts';
import { CommandError } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';

export const imageVerify = command({
  usage: '[OPTIONS] IMAGE',
  description:
    "Asks the image's registry for its signatures (as cosign makes them), and says whether the daemon's signature policy, or the given key, accepts the image. Nothing is pulled. The exit code is 1 if it is refused.",
  flags: {
    json: toggle('Print JSON'),
    key: text('file', 'Public key in PEM, in place of the policy'),
  },
  examples: [
    ['image verify --key cosign.pub hub.lan/web:1', 'Has this key signed it?'],
    ['image verify hub.lan/web:1', 'Would it be pulled?'],
  ],
  async run({ flags, args, daemon }) {
    const reference = withTag(parsedReference(args[0]!));
    const query = { name: args[0], key: flags.key === undefined ? undefined : keyIn(flags.key) };
    const headers = await authHeader(reference.domain, process.env);
    const found = await daemon.json<ImageVerification>('GET', '/mini-docker/image-verification', {
      query,
      headers,
    });
    if (flags.json) write(`${JSON.stringify(found, null, 4)}\n`);
    else {
      print(
        `${familiarReference(reference)} is ${found.Accepted ? 'accepted' : 'refused'} by ${found.Policy}`,
      );
      if (found.Reason !== undefined) print(`  reason     ${found.Reason}`);
      print(`  image      ${familiarName(reference)}@${found.Digest}`);
      for (const { Name, Fault } of found.Signatures)
        print(`  signature  ${Name === undefined ? '' : `for ${Name}: `}${Fault ?? 'valid'}`);
    }
    return found.Accepted ? 0 : 1;
  },
});

function keyIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandError(`cannot read the key: ${(cause as Error).message}`, { cause });
  }
}
