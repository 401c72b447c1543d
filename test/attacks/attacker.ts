// Plays a program in a container that makes system calls of its choice, and tells what each answered: a static ELF image
// from our own encoder, put into the container's image.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DEFAULT_CAPABILITIES } from '../../mini-docker/engine/spec/capabilities.ts';
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from '../../mini-docker/engine/spec/default-paths.ts';
import { resourcesOf } from '../../mini-docker/engine/spec/resources.ts';
import type { Spec } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { resolveSeccompProfile } from '../../mini-docker/formats/seccomp.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { errnoName } from '../../mini-docker/linux/errno.ts';
import { compile, type Item } from '../../mini-docker/linux/program.ts';
import {
  addressOfResult,
  hostArchitecture,
  mayFail,
  type Step,
  syscall,
} from '../../mini-docker/linux/step.ts';
import { write } from '../../mini-docker/linux/syscalls.ts';
import type { CreateOptions } from '../../mini-docker/runtime/container.ts';
import { DEFAULT_PROFILE } from '../../mini-docker/runtime/seccomp/default-profile.ts';
import type { TestContainers } from '../../mini-docker/runtime/testing/container.ts';

/** write(2) of so many bytes from where a result is. */
const writeWord = syscall('write', write.syscall.numbers, ['fd', 'buffer', 'int']);
let programs = 0;

/** A result, or the errno's name. */
export type Answer = number | string;

/** Puts a program into the image of the test's containers. @returns its path there */
export function placeProgram(containers: TestContainers, items: readonly Item[]): string {
  const architecture = hostArchitecture();
  const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
  const path = `/bin/attacker-${++programs}`;
  writeFileSync(join(containers.layer, path), encodeElf({ architecture, code, data }));
  chmodSync(join(containers.layer, path), 0o755);
  return path;
}

/** One that makes calls and writes down what they answer. */
export function placeAttacker(containers: TestContainers, steps: readonly Step[]): string {
  const items = steps.flatMap((step): Item[] => {
    const tried = mayFail(step);
    return [tried, mayFail(writeWord(1, addressOfResult(tried), 8))];
  });
  return placeProgram(containers, items);
}

export async function answersFrom(output: Readable): Promise<Answer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of output) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => {
    const result = Number(bytes.readBigInt64LE(index * 8));
    return result < 0 && result > -4096 ? errnoName(-result) : result;
  });
}

/** The result of each call in a container with the defaults of `mini-docker run`. */
export async function attack(
  containers: TestContainers,
  steps: readonly Step[],
  change: (spec: Spec) => void = () => {},
  extra?: Partial<CreateOptions>,
): Promise<Answer[]> {
  const path = placeAttacker(containers, steps);
  const container = await containers.start(
    [path],
    spec => {
      confine(spec);
      change(spec);
    },
    extra,
  );
  const answers = await answersFrom(container.stdout!);
  await container.exited;
  await container.delete();
  return answers;
}

/** What the engine writes for a container without any option. */
export function confine(spec: Spec): void {
  setCapabilities(spec, DEFAULT_CAPABILITIES);
  spec.linux.maskedPaths = defaultMaskedPaths('0-1');
  spec.linux.readonlyPaths = [...DEFAULT_READONLY_PATHS];
  spec.linux.resources = { ...spec.linux.resources, ...resourcesOf({}, []) };
}

export function setCapabilities(spec: Spec, names: readonly string[]): void {
  const own = spec.process.user.uid === 0 ? [...names] : [];
  const none = { inheritable: [], ambient: [] };
  spec.process.capabilities = { bounding: [...names], effective: own, permitted: own, ...none };
  spec.linux.seccomp = resolveSeccompProfile(DEFAULT_PROFILE, {
    architecture: hostArchitecture(),
    kernel: '6.1.0',
    capabilities: names,
  });
}
