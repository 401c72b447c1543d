import { describe, expect, test } from 'vitest';
import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { checkIdMappings, idMappings, ownersInContainer, ownersOnHost } from './id-mappings.ts';

const mapped = (...UidMap: string[]): HostConfig => ({ IDMappings: { UidMap } });

describe('maps of ids', () => {
  test('one of --uidmap and --gidmap stands for both', () => {
    const ranges = [{ containerID: 0, hostID: 1000, size: 2 }];
    expect(idMappings(mapped('0:1000:2'))).toEqual({ uid: ranges, gid: ranges });
    expect(idMappings({ IDMappings: { GidMap: ['0:1000:2'] } })).toEqual({ uid: ranges, gid: ranges });
    expect(idMappings({})).toBeUndefined();
    expect(idMappings(mapped())).toBeUndefined();
  });

  test('owners are translated both ways, and an unmapped id becomes 65534', () => {
    const host = mapped('0:100000:10', '50:7:1');
    expect(ownersOnHost(host)!({ uid: 3, gid: 50 })).toEqual({ uid: 100_003, gid: 7 });
    expect(ownersInContainer(host)!({ uid: 100_003, gid: 7 })).toEqual({ uid: 3, gid: 50 });
    expect(ownersOnHost(host)!({ uid: 10, gid: 49 })).toEqual({ uid: 65_534, gid: 65_534 });
    expect(ownersInContainer(host)!({ uid: 0, gid: 100_010 })).toEqual({ uid: 65_534, gid: 65_534 });
    expect(ownersOnHost({})).toBeUndefined();
  });

  test.each([
    [['5'], 'invalid --uidmap "5": the form is CONTAINER:HOST:SIZE'],
    [['0:1:-1'], 'the form is CONTAINER:HOST:SIZE'],
    [['0:5:0'], 'a range needs at least one id'],
    [['0:0:4294967296'], 'ids must be below 4294967295'],
    [['0:4294967000:1000'], 'ids must be below 4294967295'],
    [['0:1000:10', '9:5000:1'], 'id 9 of the container is in two of them'],
    [['0:1000:10', '50:1009:1'], 'id 1009 on the host is in two of them'],
    [['1:1000:1'], 'root of the container, id 0, has no id on the host'],
    [Array.from({ length: 341 }, (_, id) => `${id}:${id}:1`), 'the kernel allows at most 340 ranges'],
  ])('%j is refused: %s', (ranges, message) => {
    expect(() => idMappings(mapped(...ranges))).toThrow(message);
  });

  test.each<[HostConfig, string]>([
    [{ Privileged: true }, '--privileged'],
    [{ UsernsMode: 'host' }, '--userns host'],
    [{ NetworkMode: 'host' }, '--network host'],
    [{ NetworkMode: 'container:abc' }, '--network container'],
    [{ PidMode: 'host' }, '--pid host'],
    [{ IpcMode: 'container:abc' }, '--ipc container'],
  ])('cannot be had together with %j', (host, flag) => {
    expect(() => checkIdMappings({ ...host, ...mapped('0:1000:1') })).toThrow(`together with ${flag}: `);
    expect(() => checkIdMappings(host)).not.toThrow();
  });
});
