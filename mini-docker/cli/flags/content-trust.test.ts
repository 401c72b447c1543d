import { afterEach, expect, test, vi } from 'vitest';
import { ensureImages, pullService } from '../compose/images.ts';
import type { Project } from '../compose/project.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { refuseContentTrust } from './content-trust.ts';

afterEach(() => vi.unstubAllEnvs());

const refuses = (image: string, skip?: boolean) => {
  try {
    refuseContentTrust({ skip, image, exitCode: 125 });
    return false;
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 125, message: expect.stringContaining('asks no notary') });
    return true;
  }
};

test.each(['1', 'true', 'yes'])('DOCKER_CONTENT_TRUST=%s gets no unverified image', value => {
  vi.stubEnv('DOCKER_CONTENT_TRUST', value);
  expect(refuses('busybox')).toBe(true);
  expect(refuses('busybox', true)).toBe(false);
  expect(refuses(`busybox@sha256:${'0'.repeat(64)}`)).toBe(false);
});

test.each(['', '0', 'false'])('DOCKER_CONTENT_TRUST=%s asks for nothing, and the flag can', value => {
  vi.stubEnv('DOCKER_CONTENT_TRUST', value);
  expect(refuses('busybox')).toBe(false);
  expect(refuses('busybox', false)).toBe(true);
});

test('a project gets no unverified image either, and its daemon is not asked', async () => {
  vi.stubEnv('DOCKER_CONTENT_TRUST', '1');
  const daemon = {} as DaemonClient;
  const service = { image: 'busybox' };
  const project = { name: 'p', services: { one: service } } as unknown as Project;
  const images = ensureImages({ daemon, project, services: ['one'] }, {});
  await expect(images).rejects.toThrow('asks no notary');
  await expect(pullService(daemon, { ...service, service, quiet: true })).rejects.toThrow('asks no notary');
});
