// Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  value: number;
  labels?: Record<string, string>;
  /** For the series of a histogram: '_bucket', '_sum', '_count'. */
  suffix?: string;
}

export interface Metric {
  /** With its unit, as the field has it: 'container_memory_usage_bytes'. */
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: Sample[];
}

/** Metrics without samples are left out. */
export function encodeMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(
        ({ value, labels = {}, suffix = '' }) =>
          `${name}${suffix}${encodeLabels(labels)} ${encodeNumber(value)}\n`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function encodeLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replace(/[\\"\n]/g, each => (each === '\n' ? '\\n' : `\\${each}`))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const encodeNumber = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);

/** Upper bounds in seconds, as dockerd has them. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Durations, counted by how long they were. */
export class Histogram {
  readonly #counts = new Array<number>(BOUNDS.length).fill(0);
  #count = 0;
  #sum = 0;

  /** @param value in seconds */
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    for (const [index, bound] of BOUNDS.entries()) if (value <= bound) this.#counts[index]! += 1;
  }

  samples(labels: Record<string, string>): Sample[] {
    const bucket = (le: string, value: number): Sample => ({
      suffix: '_bucket',
      labels: { ...labels, le },
      value,
    });
    return [
      ...BOUNDS.map((bound, index) => bucket(String(bound), this.#counts[index]!)),
      bucket('+Inf', this.#count),
      { suffix: '_sum', labels, value: this.#sum },
      { suffix: '_count', labels, value: this.#count },
    ];
  }
}
