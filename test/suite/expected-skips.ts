// The tests that may be skipped, with the condition for each. `.ci/run` fails on any other skip.
import { existsSync } from 'node:fs';
import { architectureToTest } from '../machine/image.ts';
import { hasLibseccomp } from '../seccomp/libseccomp.ts';
import {
  dockerPython,
  hasAnsibleDocker,
  hasNpmClient,
  hasProgram,
  hasRubyDocker,
} from '../support/foreign-clients.ts';
import { hasNetem } from '../support/network-hosts.ts';
import { usersMayMakeNamespaces } from '../support/ordinary-user.ts';
import { temporaryDevice } from '../support/temporary-device.ts';
import { isFetched, parserDirectory } from '../vm/image.ts';

export interface ExpectedSkip {
  /** Path of the test file. */
  file: string;
  /** Words of the test's full name; without them, all tests of the file are meant. */
  name?: string;
  why: string;
  /** Whether the condition for the skip holds on this machine. */
  where: boolean;
}

const lacks = (program: string): boolean => !hasProgram(program);

const noSecondKernel = {
  why: 'there is no second kernel (bin/setup fetches it from Debian)',
  where: !isFetched('x64'),
};

/** Chapter 7 shows both versions of control groups, but a machine has only one. */
const hasVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers');

export const expectedSkips: readonly ExpectedSkip[] = [
  ...[
    ['test/build.test.ts', "docker's own command"],
    ['test/tls.test.ts', 'docker, with a certificate'],
  ].map(([file, name]) => ({
    file: file!,
    name: name!,
    why: 'docker is not installed',
    where: lacks('docker'),
  })),
  ...['dockerd', 'docker', 'podman'].map(program => ({
    file: 'test/capstone/capstone.long.test.ts',
    why: `${program} is not installed`,
    where: lacks(program),
  })),
  ...(['go', 'rust', 'c'] as const).map(language => ({
    file: 'test/capstone/starters.long.test.ts',
    name: `in ${language}`,
    why: `there is no compiler for ${language}`,
    where: lacks({ go: 'go', rust: 'rustc', c: 'cc' }[language]),
  })),
  {
    file: 'mini-docker/linux/syscall-numbers.test.ts',
    why: "the kernel's headers are not installed (linux-libc-dev)",
    where: !existsSync('/usr/include/x86_64-linux-gnu/asm/unistd_64.h'),
  },
  {
    file: 'mini-docker/network/conditions.test.ts',
    why: 'the kernel has no netem',
    where: !hasNetem(),
  },
  ...['test/network-overlay.long.test.ts', 'test/network-overlay-stores.long.test.ts'].map(file => ({
    file,
    why: 'etcd is not installed (bin/setup long installs it where it can)',
    where: lacks('etcd'),
  })),
  {
    file: 'test/network-conditions.long.test.ts',
    ...noSecondKernel,
  },
  {
    file: 'test/course/web-browser.long.test.ts',
    why: 'there is no chromium, or nothing to drive it (bin/setup long installs both)',
    where: lacks('chromium-headless-shell') || !hasNpmClient('playwright-core') || !hasNpmClient('axe-core'),
  },
  {
    file: 'test/course/chapters.long.test.ts',
    name: 'wants cgroup v2',
    why: 'the machine has cgroup v1',
    where: !hasVersion2,
  },
  {
    file: 'test/course/chapters.long.test.ts',
    name: 'wants cgroup v1',
    why: 'the machine has cgroup v2',
    where: hasVersion2,
  },
  {
    file: 'test/why.test.ts',
    name: 'its limit of writing to a device',
    why: 'temporary files are on no block device',
    where: temporaryDevice === undefined,
  },
  ...[
    ...['containerd', 'ctr', 'curl', 'docker', 'docker-registry', 'dockerd', 'etcd', 'iptables', 'newuidmap'],
    ...['perl', 'podman', 'runc', 'script', 'skopeo', 'strace'],
  ].map(program => ({
    file: 'test/course/chapters.long.test.ts',
    name: `${program} is not installed`,
    why: `${program} is not installed, which a transcript needs`,
    where: lacks(program),
  })),
  ...['test/course/21-standard.test.ts', 'test/course/chapters.long.test.ts'].map(file => ({
    file,
    name: 'task engine',
    why: 'podman is not installed, with which a task of exercise 21 is tried',
    where: lacks('podman'),
  })),
  ...['test/course/17-registry.test.ts', 'test/course/chapters.long.test.ts'].map(file => ({
    file,
    name: 'task skopeo',
    why: 'skopeo is not installed, with which a task of exercise 17 is tried',
    where: lacks('skopeo'),
  })),
  ...Object.entries({
    pasta: 'pasta',
    slirp4netns: 'slirp4netns',
    newuidmap: 'subordinate ids of the user',
  }).map(([program, name]) => ({
    file: 'test/rootless.test.ts',
    name,
    why: `${program} is not installed`,
    where: lacks(program),
  })),
  ...['test/rootless.test.ts', 'test/rootless.long.test.ts'].map(file => ({
    file,
    why: 'ordinary users may make no user namespaces here',
    where: !usersMayMakeNamespaces,
  })),
  { file: 'test/rootless.long.test.ts', why: 'newuidmap is not installed', where: lacks('newuidmap') },
  { file: 'test/cgroups/v2.long.test.ts', ...noSecondKernel },
  { file: 'test/cgroups/v2-chapters.long.test.ts', ...noSecondKernel },
  { file: 'test/soak/power-cuts.long.test.ts', ...noSecondKernel },
  ...['podman', 'buildah', 'dockerd', 'containerd'].map(program => ({
    file: 'test/oci-engines.long.test.ts',
    name: program,
    why: `${program} is not installed, which runs containers on the runtime`,
    where: lacks(program),
  })),
  {
    file: 'test/docker-suites.test.ts',
    name: 'as the docker command does',
    why: 'docker is not installed',
    where: lacks('docker'),
  },
  {
    file: 'test/clients/ansible.long.test.ts',
    why: 'ansible is not installed (bin/setup long)',
    where: !hasAnsibleDocker,
  },
  {
    file: 'test/clients/npm-clients.long.test.ts',
    name: 'testcontainers',
    why: 'testcontainers is not installed (bin/setup long)',
    where: !hasNpmClient('testcontainers'),
  },
  {
    file: 'test/clients/npm-clients.long.test.ts',
    name: 'devcontainer up',
    why: 'the devcontainer command (bin/setup long) or docker is not installed',
    where: !hasNpmClient('@devcontainers/cli') || lacks('docker'),
  },
  {
    file: 'test/compose-files.long.test.ts',
    why: 'docker-compose is not installed, which the files are also brought up with',
    where: lacks('docker-compose'),
  },
  {
    file: 'test/oci-cri.long.test.ts',
    name: 'pods with a network',
    why: 'containernetworking-plugins are not installed, which make it',
    where: !existsSync('/usr/lib/cni'),
  },
  {
    file: 'test/oci-cri.long.test.ts',
    why: 'containerd is not installed, which runs the pod',
    where: lacks('containerd'),
  },
  {
    file: 'mini-docker/oci-runtime/spec.test.ts',
    name: 'a supervisor',
    why: 'python3 is not installed, in which the supervisor is written',
    where: lacks('python3'),
  },
  {
    file: 'mini-docker/oci-runtime/as-runc.test.ts',
    why: 'runc is not installed, which is compared',
    where: lacks('runc'),
  },
  {
    file: 'test/apparmor.long.test.ts',
    why: 'there is no second kernel, or no apparmor_parser for it (bin/setup fetches both from Debian)',
    where: !isFetched('x64') || parserDirectory() === undefined,
  },
  {
    file: 'test/arm64.long.test.ts',
    why: 'it takes two minutes: npm run test:arm64',
    where: process.env.MINI_DOCKER_TEST_ARM64 === undefined || !isFetched('arm64'),
  },
  {
    file: 'test/machine.long.test.ts',
    why: 'it takes more than an hour: npm run test:machine',
    where: architectureToTest() === undefined,
  },
  { file: 'test/hints/other-kernel.long.test.ts', ...noSecondKernel },
  {
    file: 'mini-docker/linux/hints/cgroups.test.ts',
    why: 'the machine has no cgroup v1',
    where: !existsSync('/sys/fs/cgroup/cpuset/tasks'),
  },
  {
    file: 'mini-docker/linux/hints/cgroups.test.ts',
    name: 'memory and swap together',
    why: 'the kernel does not count swap (swapaccount=1)',
    where: !existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
  },
  {
    file: 'mini-docker/linux/encoders.test.ts',
    why: 'binutils is not installed, for one of the architectures',
    where: lacks('aarch64-linux-gnu-as') || lacks('x86_64-linux-gnu-as'),
  },
  {
    file: 'test/seccomp/libseccomp.test.ts',
    why: 'libseccomp is not installed (Debian: libseccomp2)',
    where: !hasLibseccomp,
  },
  ...['podman', 'dockerd'].map(program => ({
    file: 'mini-docker/images/archives.test.ts',
    name: `needs ${program}`,
    why: `${program} is not installed`,
    where: lacks(program),
  })),
  { file: 'mini-docker/images/archives.test.ts', why: 'skopeo is not installed', where: lacks('skopeo') },
  {
    file: 'mini-docker/images/registry/registry.test.ts',
    why: 'skopeo is not installed',
    where: lacks('skopeo'),
  },
  {
    file: 'test/images.test.ts',
    why: 'docker-registry or skopeo is not installed',
    where: lacks('docker-registry') || lacks('skopeo'),
  },
  {
    file: 'test/hijack.test.ts',
    name: 'docker-py',
    why: 'docker-py is not installed (Debian: python3-docker)',
    where: dockerPython === undefined,
  },
  {
    file: 'test/clients/clients.test.ts',
    name: 'docker-py',
    why: 'docker-py is not installed (Debian: python3-docker)',
    where: dockerPython === undefined,
  },
  {
    file: 'test/clients/clients.test.ts',
    name: "ruby's docker-api",
    why: 'it is not installed (Debian: ruby-docker-api, ruby-multi-json)',
    where: !hasRubyDocker,
  },
  ...['docker-compose', 'skopeo'].map(program => ({
    file: 'test/clients/clients.test.ts',
    name: program,
    why: `${program} is not installed`,
    where: lacks(program),
  })),
  {
    file: 'test/clients.test.ts',
    name: 'the docker command drives the daemon',
    why: 'this one only stands for the tests of a docker command that is not installed',
    where: true,
  },
];
