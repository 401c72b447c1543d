// Decides which test files begin first: the slowest, which would otherwise run alone at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The slowest files, slowest first. All others follow in Vitest's order. */
const LONGEST = [
  // npm run test:long
  'test/cgroups/v2.long.test.ts',
  'test/course/chapters.long.test.ts',
  'test/crash.long.test.ts',
  // npm test
  'test/images.test.ts',
  'test/lifecycle.test.ts',
  'test/build.test.ts',
  'test/attacks/daemon.test.ts',
  'test/network-lives.test.ts',
  'test/attacks/exhaustion.test.ts',
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
