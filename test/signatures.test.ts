// A daemon with a signature policy, Debian's registry, and a signature as cosign makes it.
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../mini-docker/images/testing/archives.ts';
import { commandLines } from './support/command-lines.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { startRegistry, type TestRegistry } from './support/registry.ts';

const APP = 'localhost:5000/team/app';
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const scratch = mkdtempSync(join(tmpdir(), 'signatures-test-'));
const keyFile = join(scratch, 'cosign.pub');
const policy = join(scratch, 'policy.json');
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let daemon: TestDaemon;
let registry: TestRegistry;
const { cli: run, does } = commandLines(() => daemon)[0]!;

describe.skipIf(!isInstalled('docker-registry') || !isInstalled('skopeo'))(
  'a daemon with a signature policy',
  () => {
    beforeAll(async () => {
      writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
      setPolicy([{ type: 'insecureAcceptAnything' }]);
      daemon = await startDaemon({ args: ['--signature-policy', policy] });
      registry = await startRegistry({
        directory: join(scratch, 'registry'),
        port: 5000,
        network: daemon.namespaces,
      });
      await does('create --name maker busybox');
      for (const tag of ['signed', 'unsigned']) {
        await does(`commit -m ${tag} maker ${APP}:${tag}`);
        await does(`push ${APP}:${tag}`);
      }
      await does(`rmi ${APP}:signed ${APP}:unsigned`);
      attachSignature('signed');
      setPolicy([{ type: 'sigstoreSigned', keyPath: keyFile, signedIdentity: { type: 'matchRepository' } }]);
    });
    afterAll(async () => {
      await registry?.stop();
      await daemon?.stop();
      rmSync(scratch, { recursive: true });
    });

    function setPolicy(requirements: object[]): void {
      const transports = { docker: { [APP]: requirements } };
      writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }], transports }));
    }

    /** As skopeo copies a directory of which each file is a blob. */
    function attachSignature(tag: string): void {
      const inside = (...words: string[]) =>
        execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', 'skopeo', ...words]);
      const digest = sha256(inside('inspect', '--raw', '--tls-verify=false', `docker://${APP}:${tag}`));
      const payload = Buffer.from(
        JSON.stringify({
          critical: {
            identity: { 'docker-reference': APP },
            image: { 'docker-manifest-digest': digest },
            type: 'cosign container image signature',
          },
          optional: null,
        }),
      );
      const config = Buffer.from(
        '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}',
      );
      const layout = join(scratch, 'signature');
      mkdirSync(layout);
      for (const blob of [payload, config]) writeFileSync(join(layout, sha256(blob).slice(7)), blob);
      writeFileSync(join(layout, 'version'), 'Directory Transport Version: 1.1\n');
      writeFileSync(
        join(layout, 'manifest.json'),
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: {
            mediaType: 'application/vnd.oci.image.config.v1+json',
            digest: sha256(config),
            size: config.length,
          },
          layers: [
            {
              mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
              digest: sha256(payload),
              size: payload.length,
              annotations: {
                'dev.cosignproject.cosign/signature': sign('sha256', payload, privateKey).toString('base64'),
              },
            },
          ],
        }),
      );
      const target = `docker://${APP}:sha256-${digest.slice(7)}.sig`;
      inside('copy', '--dest-tls-verify=false', `dir:${layout}`, target);
    }

    test('a signed image is pulled and run', async () => {
      expect(await run(`run --rm ${APP}:signed echo hi`)).toMatchObject({ code: 0, out: 'hi\n' });
    });

    test('an unsigned image is neither pulled, nor run, nor built upon', async () => {
      const refused = `${APP}:unsigned is refused by transports.docker."${APP}" of ${policy}: it has no signature`;
      expect(await run(`pull ${APP}:unsigned`)).toMatchObject({
        code: 1,
        err: expect.stringContaining(refused),
      });
      expect(await run(`run --rm ${APP}:unsigned true`)).toMatchObject({
        code: 125,
        err: expect.stringContaining(refused),
      });
      const context = join(scratch, 'context');
      mkdirSync(context);
      writeFileSync(join(context, 'Dockerfile'), `FROM ${APP}:unsigned\n`);
      expect(await run(`build ${context}`)).toMatchObject({ code: 1, err: expect.stringContaining(refused) });
      expect(await does('images')).not.toContain('unsigned');
    });

    test('image verify asks the registry, and its exit code is the answer', async () => {
      const signed = await run(`image verify ${APP}:signed`);
      expect(signed).toMatchObject({ code: 0, out: expect.stringContaining(`signature  for ${APP}: valid`) });
      const unsigned = await run(`image verify ${APP}:unsigned`);
      expect(unsigned).toMatchObject({
        code: 1,
        out: expect.stringContaining('reason     it has no signature'),
      });
      const stranger = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
      writeFileSync(join(scratch, 'stranger.pub'), stranger);
      const other = await run(`image verify --key ${join(scratch, 'stranger.pub')} ${APP}:signed`);
      expect(other).toMatchObject({ code: 1, out: expect.stringContaining('none of the keys has made it') });
      const known = await run(`image verify --json --key ${keyFile} ${APP}:signed`);
      expect(JSON.parse(known.out)).toMatchObject({ Accepted: true, Signatures: [{ Name: APP }] });
    });

    test('a policy that cannot be read refuses images from registries, and no others', async () => {
      writeFileSync(policy, '{"default": []}');
      expect((await run(`run --rm ${APP}:signed true`)).err).toContain(
        `the signature policy ${policy}: default must be`,
      );
      expect(await run('run --rm busybox echo local')).toMatchObject({ code: 0, out: 'local\n' });
    });
  },
);
