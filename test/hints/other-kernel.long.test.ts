// Hints whose errnos this machine's own kernel does not give, or only after changes to the whole machine.
import { beforeAll, describe, expect, test } from 'vitest';
import { isFetched } from '../vm/image.ts';
import { bundleScript } from '../vm/scripts.ts';
import { runInVm } from '../vm/vm.ts';

const top = '/sys/fs/cgroup/mini-docker-hints';

const expected: Record<string, RegExp> = {
  'a process for a group that gives controllers on': new RegExp(
    `^EBUSY: ${top}/inner gives memory on to its children .*such a group can have no processes of its own`,
  ),
  'a controller that is passed on further below': new RegExp(`^EBUSY: a group below ${top} passes it on`),
  'giving controllers on from a group with processes': new RegExp(
    `^EBUSY: ${top}/busy has processes of its own \\(\\d+\\)`,
  ),
  'a controller that is not there': new RegExp(
    `^ENOENT: ${top}/inner has no controller pids to give on \\(it has memory\\)`,
  ),
  'a process for a threaded group': new RegExp(`^\\w+: ${top}/threads/beside is "domain invalid"`),
  'more groups than are allowed':
    /^EAGAIN: a group may have no more groups below it there \(cgroup.max.descendants/,
  'a value that is none': /^EINVAL: memory.max does not take "many"/,
  'user namespaces for root only':
    /^EPERM: user namespaces are for root only here \(\/proc\/sys\/kernel\/unprivileged_userns_clone is 0\)/,
  'flags of memfd_create that came later': /^EINVAL: MFD_EXEC and MFD_NOEXEC_SEAL are known since Linux 6.3/,
  'as many open files as the machine may have': /^ENFILE: the machine has as many files open as it may have/,
};

// A machine that is not Debian, or has no network while the tests are set up, has no second kernel.
describe.skipIf(!isFetched('x64'))('hints under another kernel, in a virtual machine', () => {
  const hints = new Map<string, string>();
  let said = '';

  beforeAll(async () => {
    const command = ['node_modules/.bin/node', await bundleScript('test/hints/other-kernel-scenes.ts')];
    const { output } = await runInVm({ architecture: 'x64', command, timeout: 120_000 });
    said = output;
    for (const [, json] of output.matchAll(/^scene: (.*)$/gm)) {
      const { name, text } = JSON.parse(json!);
      hints.set(name, text);
    }
  }, 130_000);

  for (const [name, pattern] of Object.entries(expected)) {
    test(name, () => {
      expect(hints.get(name), `it was not come to:\n${said}`).toMatch(pattern);
    });
  }
});
