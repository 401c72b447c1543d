// GET /info and GET /version

import { arch } from 'node:os';
import type { SystemInfo, SystemVersion } from '../../formats/engine-api/system.ts';
import { VERSION } from '../../formats/program-version.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import { readQuietly } from '../../linux/proc/file.ts';
import { RUNTIMES } from '../spec/check-config.ts';
import { LOG_DRIVERS } from '../spec/log-options.ts';
import type { EngineContext } from '../state/context.ts';

const ARCHITECTURES: Record<string, [docker: string, kernel: string]> = {
  x64: ['amd64', 'x86_64'],
  arm64: ['arm64', 'aarch64'],
};

export async function systemInfo(context: EngineContext, id: string): Promise<SystemInfo> {
  const { facts, paths, defaults, settings } = context;
  const hasLimits = facts.noLimits === undefined;
  const statuses = [...context.containers].map(({ record }) => record.state.status);
  const count = (...wanted: string[]) => statuses.filter(status => wanted.includes(status)).length;
  const system = osRelease();
  const pools = context.networks.pools.map(({ base, size }) => ({ Base: base, Size: size }));
  const { mirrors = [], insecure = [] } = settings.registries;
  return {
    ID: id,
    Containers: statuses.length,
    ContainersRunning: count('running', 'restarting'),
    ContainersPaused: count('paused'),
    ContainersStopped: statuses.length - count('running', 'restarting', 'paused'),
    Images: (await context.images.list()).length,
    Driver: 'overlay2',
    DriverStatus: [['Mounts', 'in the containers only']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'macvlan', 'null', 'overlay'],
      Authorization: null,
      Log: LOG_DRIVERS,
    },
    MemoryLimit: hasLimits,
    SwapLimit: hasLimits && facts.swapLimit,
    CpuCfsPeriod: hasLimits,
    CpuCfsQuota: hasLimits,
    CPUShares: hasLimits,
    CPUSet: hasLimits,
    PidsLimit: hasLimits,
    IPv4Forwarding: readQuietly('/proc/sys/net/ipv4/ip_forward')?.trim() === '1',
    Debug: settings.debug,
    NFd: 0,
    OomKillDisable: hasLimits && facts.cgroupVersion === 1,
    NGoroutines: 0,
    SystemTime: encodeTimestamp(nowNanoseconds()),
    LoggingDriver: defaults.logDriver ?? 'json-file',
    CgroupDriver: hasLimits ? 'cgroupfs' : 'none',
    CgroupVersion: String(facts.cgroupVersion),
    NEventsListener: context.events.listeners,
    KernelVersion: facts.kernel,
    OperatingSystem: system.PRETTY_NAME ?? 'Linux',
    OSVersion: system.VERSION_ID ?? '',
    OSType: 'linux',
    Architecture: ARCHITECTURES[arch()]?.[1] ?? arch(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...insecure.filter(each => each.includes('/'))],
      IndexConfigs: {
        'docker.io': { Name: 'docker.io', Mirrors: mirrors, Secure: true, Official: true },
        ...Object.fromEntries(
          insecure
            .filter(each => !each.includes('/'))
            .map(Name => [Name, { Name, Mirrors: [], Secure: false, Official: false }]),
        ),
      },
      Mirrors: mirrors,
    },
    NCPU: facts.cpus,
    MemTotal: facts.memory,
    GenericResources: null,
    DockerRootDir: paths.dataRoot,
    HttpProxy: proxyOf('HTTP_PROXY'),
    HttpsProxy: proxyOf('HTTPS_PROXY'),
    NoProxy: proxyOf('NO_PROXY'),
    Name: facts.hostname,
    Labels: settings.labels,
    ExperimentalBuild: false,
    ServerVersion: VERSION,
    Runtimes: Object.fromEntries(RUNTIMES.map(name => [name, { path: 'mini-docker' }])),
    DefaultRuntime: defaults.runtime ?? RUNTIMES[0]!,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: settings.keepContainers,
    Isolation: '',
    InitBinary: 'built in',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: [
      ...(facts.apparmor ? ['name=apparmor'] : []),
      ...(facts.seccomp ? ['name=seccomp,profile=builtin'] : []),
      ...(facts.rootless ? ['name=rootless'] : []),
      ...(defaults.idMappings ? ['name=userns'] : []),
      ...(facts.cgroupVersion === 2 ? ['name=cgroupns'] : []),
    ],
    ProductLicense: '',
    ...(pools.length === 0 ? {} : { DefaultAddressPools: pools }),
    Warnings: [
      ...(hasLimits ? [] : [`no container can have a limit: ${facts.noLimits?.reason}`]),
      ...context.networks.warnings(),
      ...context.troubles(),
    ],
  };
}

/** Without the password. */
const proxyOf = (name: string): string =>
  (process.env[name] || process.env[name.toLowerCase()] || '').replace(/\/\/[^@/]*@/, '//xxxxx:xxxxx@');

export function systemVersion(context: EngineContext): SystemVersion {
  const architecture = ARCHITECTURES[arch()]?.[0] ?? arch();
  const details = { Os: 'linux', Arch: architecture, KernelVersion: context.facts.kernel };
  return {
    Platform: { Name: 'mini-docker' },
    Components: [{ Name: 'Engine', Version: VERSION, Details: { ...details, NodeVersion: process.version } }],
    Version: VERSION,
    GitCommit: '',
    // Clients print this field; there is no Go here.
    GoVersion: `node ${process.version}`,
    Os: 'linux',
    Arch: architecture,
    KernelVersion: context.facts.kernel,
    BuildTime: '',
  };
}

/** os-release(5) */
function osRelease(): Record<string, string> {
  const text = readQuietly('/etc/os-release') ?? readQuietly('/usr/lib/os-release') ?? '';
  const pairs = [...text.matchAll(/^([A-Z_]+)=(?:"(.*)"|(.*))$/gm)];
  return Object.fromEntries(pairs.map(([, key, quoted, plain]) => [key!, quoted ?? plain ?? '']));
}
