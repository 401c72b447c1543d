// Decides which test files begin first: the slowest, which would otherwise run alone at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The slowest files, slowest first. All others follow in Vitest's order. */
const LONGEST = [
  // npm run test:long
  'test/cgroups/v2.long.test.ts',
  'test/course/chapters.long.test.ts',
  'test/crash.long.test.ts',
  // npm test
  'mini-docker/images/registry/registry.test.ts',
  'test/compose.test.ts',
  'test/course/grader.test.ts',
  'test/attacks/daemon.test.ts',
  'test/images.test.ts',
  'test/docker-answers.test.ts',
  'mini-docker/runtime/runtime.test.ts',
  'test/clients/clients.test.ts',
  'test/course/learn.test.ts',
  'test/course/21-standard.test.ts',
  'test/course/20-hosts.test.ts',
  'test/course/17-registry.test.ts',
  'test/course/18-daemon.test.ts',
  'test/build.test.ts',
  'mini-docker/images/trust/trust.test.ts',
  'test/why.test.ts',
  'test/system-install.test.ts',
  'test/network-conditions.test.ts',
  'test/rootless.test.ts',
  'test/attacks/disk.test.ts',
  'test/attacks/neighbours.test.ts',
  'test/course/sandbox.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex(file => moduleId.endsWith(file));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
