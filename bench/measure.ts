// Times of several contestants in one run, as medians. They take turns, so that a disturbance affects all of
// them.

export interface Contestant {
  name: string;
  /** Preparation before each measurement, which is not measured. */
  before?(): Promise<void> | void;
  /** One execution of the measured work. */
  once(): Promise<void> | void;
}

export interface Timing {
  name: string;
  /** Median time, in milliseconds. */
  median: number;
  fastest: number;
  slowest: number;
}

export async function inTurns(
  contestants: readonly Contestant[],
  rounds: number,
  warmUp = 3,
): Promise<Timing[]> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, before, once } of contestants) {
      await before?.();
      const begin = performance.now();
      await once();
      if (round >= 0) times.get(name)!.push(performance.now() - begin);
    }
  }
  return [...times].map(([name, all]) => ({
    name,
    median: median(all),
    fastest: Math.min(...all),
    slowest: Math.max(...all),
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Prints a table with the ratio of the first contestant to each. */
export function report(title: string, timings: readonly Timing[]): void {
  const [ours] = timings;
  console.log(`\n${title}`);
  for (const { name, median: middle, fastest, slowest } of timings) {
    const ratio =
      ours === undefined || name === ours.name
        ? ''
        : `${ours.name} / this: ${(ours.median / middle).toFixed(3)}`;
    const range = `${fastest.toFixed(1)} to ${slowest.toFixed(1)}`;
    console.log(
      `  ${name.padEnd(24)} ${`${middle.toFixed(1)} ms`.padStart(10)}  (${range.padEnd(16)})  ${ratio}`,
    );
  }
}
