import { expect, test } from 'vitest';
import type { ContainerInspect, ContainerStats } from '../formats/engine-api/containers.ts';
import type { ImageInspect } from '../formats/engine-api/images.ts';
import type { SystemInfo } from '../formats/engine-api/system.ts';
import { containerFor, imageFor, infoFor, statsFor } from './old-versions.ts';

test('an image has a ContainerConfig before 1.45, and a VirtualSize before 1.44', () => {
  const image = { Config: { Volumes: { '/data': {} } }, Size: 5, VirtualSize: 5 } as unknown as ImageInspect;
  const fields = (version: number) => Object.keys(imageFor(image, version)).sort();
  expect(fields(47)).toEqual(['Config', 'Size']);
  expect(fields(44)).toEqual(['Config', 'Container', 'ContainerConfig', 'Size']);
  expect(imageFor(image, 22)).toMatchObject({
    Container: '',
    ContainerConfig: { Volumes: { '/data': {} } },
    VirtualSize: 5,
  });
});

test('a container has the fields of its version, back to 1.12', () => {
  const container = {
    Id: '0123456789abcdef',
    Config: { Image: 'busybox' },
    HostConfig: { Memory: 7, MemorySwap: 8, CpuShares: 9, CpusetCpus: '0', VolumeDriver: '' },
    Mounts: [{ Destination: '/data', Source: '/somewhere', RW: false }],
    NetworkSettings: { IPAddress: '10.0.0.2', Networks: { own: { Aliases: ['web'] }, bridge: {} } },
  } as unknown as ContainerInspect;
  expect(containerFor(container, 45)).toBe(container);
  expect(containerFor(container, 44)).toMatchObject({
    NetworkSettings: { Networks: { own: { Aliases: ['web', '0123456789ab'] }, bridge: { Aliases: null } } },
  });
  expect(containerFor(container, 20)).toMatchObject({
    Config: { MacAddress: '', NetworkDisabled: false, VolumeDriver: '' },
    NetworkSettings: { IPAddress: '10.0.0.2' },
    Mounts: container.Mounts,
  });
  expect(containerFor(container, 20)).not.toHaveProperty('NetworkSettings.Networks');
  const oldest = containerFor(container, 12);
  expect(oldest).toMatchObject({
    Config: { Image: 'busybox', Memory: 7, MemorySwap: 8, CpuShares: 9, Cpuset: '0' },
    Volumes: { '/data': '/somewhere' },
    VolumesRW: { '/data': false },
  });
  expect(oldest).not.toHaveProperty('Mounts');
});

test('security options are names before 1.25', () => {
  const info = { SecurityOptions: ['name=seccomp,profile=builtin', 'name=apparmor'] } as SystemInfo;
  expect(infoFor(info, 25)).toBe(info);
  expect(infoFor(info, 24)).toEqual({
    ExecutionDriver: '<not supported>',
    SecurityOptions: ['seccomp', 'apparmor'],
  });
});

test("the figures of all networks are one's before 1.21", () => {
  const networks = { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } };
  const stats = { id: 'x', networks } as unknown as ContainerStats;
  expect(statsFor(stats, 21)).toBe(stats);
  expect(statsFor(stats, 20)).toEqual({ id: 'x', network: { rx_bytes: 11, tx_bytes: 22 } });
});
