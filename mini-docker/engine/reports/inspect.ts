// GET /containers/ID/json

import { join } from 'node:path';
import type {
  ContainerInspect,
  ContainerState,
  NetworkSettings,
  PortMap,
} from '../../formats/engine-api/containers.ts';
import { quietly } from '../../formats/quietly.ts';
import { NEVER_TIME } from '../../formats/timestamp.ts';
import { shownLinks } from '../networks/links.ts';
import { networkOwner } from '../networks/owner.ts';
import { decodeSecurityOptions } from '../spec/security-options.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord, RecordMount } from '../state/record.ts';

export async function inspectContainer(
  context: EngineContext,
  live: LiveContainer,
): Promise<ContainerInspect> {
  const { record } = live;
  const paths = context.paths.container(live.id);
  // The file of the driver `local` is, as in Docker, not for other programs.
  const showsLog = record.hostConfig.LogConfig?.Type === 'json-file';
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: containerState(record),
    Image: record.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: showsLog ? paths.log : '',
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: context.facts.apparmor
      ? decodeSecurityOptions(record.hostConfig, context.facts).apparmor
      : '',
    ExecIDs: live.execIds.size > 0 ? [...live.execIds] : null,
    HostConfig: { ...record.hostConfig, Links: shownLinks(context.containers, record) },
    GraphDriver: { Name: 'overlay2', Data: await rootDirectories(context, live) },
    Mounts: record.mounts.map(publicMount),
    Config: record.config,
    NetworkSettings: networkSettings(context, live),
  };
}

/**
 * The directories of the container's root filesystem. The merged view is mounted in its own mount namespace,
 * and can be found there while it runs.
 */
async function rootDirectories(context: EngineContext, live: LiveContainer): Promise<Record<string, string>> {
  const { paths, images } = context;
  const { directory, upperdir, workdir } = paths.container(live.id);
  const image = await images.get(live.record.imageId).catch(() => undefined);
  const layers = image?.config.rootfs.diff_ids.toReversed().map(images.loose.directory) ?? [];
  return {
    LowerDir: [paths.initLayer, ...layers].join(':'),
    MergedDir: live.run ? `/proc/${live.run.container.pid}/root` : join(directory, 'merged'),
    UpperDir: upperdir,
    WorkDir: workdir,
  };
}

export function containerState({ state }: ContainerRecord): ContainerState {
  const { status } = state;
  return {
    Status: status,
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt || NEVER_TIME,
    FinishedAt: state.finishedAt || NEVER_TIME,
    ...(state.health === undefined ? {} : { Health: state.health }),
  };
}

export function publicMount(mount: RecordMount) {
  const { Type, Name, Source, Destination, Driver, Mode, RW, Propagation } = mount;
  return {
    Type,
    ...(Name === undefined ? {} : { Name }),
    Source,
    Destination,
    ...(Driver === undefined ? {} : { Driver }),
    Mode,
    RW,
    Propagation,
  };
}

function networkSettings(context: EngineContext, { record, run }: LiveContainer): NetworkSettings {
  const { networks } = record;
  /** undefined when the one whose network it shares was removed. */
  const owner = run && quietly(() => networkOwner(context, record).id);
  const onBridge = networks.bridge ?? {};
  return {
    Bridge: '',
    SandboxID: owner ?? '',
    SandboxKey: owner === undefined ? '' : context.networks.sandboxKey(owner),
    Ports: run ? shownPorts(record) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: onBridge.EndpointID ?? '',
    Gateway: onBridge.Gateway ?? '',
    GlobalIPv6Address: onBridge.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: onBridge.GlobalIPv6PrefixLen ?? 0,
    IPAddress: onBridge.IPAddress ?? '',
    IPPrefixLen: onBridge.IPPrefixLen ?? 0,
    IPv6Gateway: onBridge.IPv6Gateway ?? '',
    MacAddress: onBridge.MacAddress ?? '',
    Networks: Object.fromEntries(
      Object.entries(networks).map(([name, settings]) => [name, fullSettings(settings)]),
    ),
  };
}

/** The published ports; ports that are only exposed have null. */
export function shownPorts(record: ContainerRecord): PortMap {
  const exposed = Object.keys(record.config.ExposedPorts ?? {}).map(port =>
    port.includes('/') ? port : `${port}/tcp`,
  );
  return { ...Object.fromEntries(exposed.map(port => [port, null])), ...record.ports };
}

/** Settings with every field, as clients expect. */
export function fullSettings(settings: ContainerRecord['networks'][string]) {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: '',
    DriverOpts: null,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
    ...settings,
  };
}
