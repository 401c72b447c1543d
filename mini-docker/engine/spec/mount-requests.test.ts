import { expect, test } from 'vitest';
import type { ContainerConfig, HostConfig } from '../../formats/engine-api/containers.ts';
import type { RecordMount } from '../state/record.ts';
import { requestedMounts } from './mount-requests.ts';

const donor: RecordMount[] = [
  { Type: 'bind', Source: '/d', Destination: '/donated', Mode: '', RW: true, Propagation: 'rprivate' },
];
const requested = (host: HostConfig, config: ContainerConfig = {}) =>
  requestedMounts({
    host,
    config,
    mountsOf: () => donor,
    volumePath: name => `/volumes/${name}/_data`,
    volumeFilesystem: () => undefined,
    newVolumeName: () => 'anonymous',
    imageId: name => `id of ${name}`,
  });

test('binds, volumes and tmpfs become mounts, outer ones first', () => {
  const mounts = requested({
    Binds: ['/host/a:/data/inner:ro', 'cache:/data'],
    Mounts: [
      { Type: 'tmpfs', Target: '/scratch', TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } },
      { Type: 'bind', Source: '/etc', Target: '/host-etc', BindOptions: { Propagation: 'rslave' } },
    ],
  });
  expect(mounts).toEqual([
    {
      Type: 'volume',
      Name: 'cache',
      Source: '/volumes/cache/_data',
      Destination: '/data',
      Driver: 'local',
      Mode: 'z',
      RW: true,
      Propagation: '',
    },
    {
      Type: 'tmpfs',
      Source: '',
      Destination: '/scratch',
      Mode: '',
      RW: true,
      Propagation: '',
      options: ['size=1024', 'mode=1777'],
    },
    {
      Type: 'bind',
      Source: '/etc',
      Destination: '/host-etc',
      Mode: '',
      RW: true,
      Propagation: 'rslave',
      mustExist: true,
    },
    {
      Type: 'bind',
      Source: '/host/a',
      Destination: '/data/inner',
      Mode: 'ro',
      RW: false,
      Propagation: 'rprivate',
    },
  ]);
});

test("the image's volumes get anonymous ones where the user mounted nothing", () => {
  const volumes = { Volumes: { '/a': {}, '/b/': {}, '/c': {} } };
  const mounts = requested({ Binds: ['/x:/a'], Tmpfs: { '/c': '' } }, volumes);
  expect(mounts.map(mount => [mount.Destination, mount.Type, mount.anonymous])).toEqual([
    ['/a', 'bind', undefined],
    ['/b', 'volume', true],
  ]);
});

test("another container's mounts are taken over, read-only if asked, and the own ones win", () => {
  expect(requested({ VolumesFrom: ['other:ro'] })).toMatchObject([{ Destination: '/donated', RW: false }]);
  expect(requested({ VolumesFrom: ['other'], Binds: ['/own:/donated'] })).toMatchObject([{ Source: '/own' }]);
});

test('invalid mounts are refused before anything is created', () => {
  const refused: [HostConfig, string][] = [
    [{ Binds: ['/a:/x', '/b:/x/'] }, 'Duplicate mount point: /x'],
    [{ Binds: ['/a:/x'], Tmpfs: { '/x': '' } }, 'Duplicate mount point: /x'],
    [
      { Mounts: [{ Type: 'bind', Source: '/does/not/exist', Target: '/x' }] },
      'bind source path does not exist: /does/not/exist',
    ],
    [{ Mounts: [{ Type: 'bind', Source: 'rel', Target: '/x' }] }, 'mount path must be absolute'],
    [{ Mounts: [{ Type: 'volume', Source: '/a', Target: '/x' }] }, 'is a path'],
    [{ Mounts: [{ Type: 'volume', Source: 'v1', Target: '' }] }, 'field Target must not be empty'],
    [{ Mounts: [{ Type: 'npipe', Target: '/x' }] }, 'for type "npipe": mount type unknown'],
    [{ VolumesFrom: ['other:rx'] }, 'invalid mode: rx'],
    [{ VolumesFrom: ['other:ro:z'] }, 'invalid mode: ro:z'],
    [{ Tmpfs: { relative: '' } }, 'mount path must be absolute'],
  ];
  for (const [host, message] of refused) expect(() => requested(host)).toThrow(message);
});

test('a volume that is not there yet is made as --mount says', () => {
  const [mount] = requested({
    Mounts: [
      {
        Type: 'volume',
        Source: 'data',
        Target: '/data',
        VolumeOptions: {
          NoCopy: true,
          Labels: { a: 'b' },
          DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/srv' } },
        },
      },
    ],
  });
  expect(mount).toMatchObject({
    noCopy: true,
    volume: { labels: { a: 'b' }, options: { type: 'none', o: 'bind', device: '/srv' } },
  });
});
