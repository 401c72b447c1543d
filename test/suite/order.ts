// Which test files begin first: those that take minutes, or they would run alone at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest first. All others after them, as Vitest has them. */
const LONG = ['test/cgroups/v2.long.test.ts'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex(file => moduleId.endsWith(file));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
