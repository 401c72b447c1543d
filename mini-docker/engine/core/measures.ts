// What the daemon counts about itself, from its start on, for GET /metrics.
import { Histogram } from '../../formats/prometheus.ts';

export type MeasuredAction = 'create' | 'start' | 'delete' | 'commit' | 'changes';

export class Measures {
  readonly startedAt = Date.now() / 1000;
  readonly actions = new Map<MeasuredAction, Histogram>();
  /** By method and status: 'GET 200'. */
  readonly requests = new Map<string, number>();
  readonly healthChecks = { done: 0, failed: 0 };

  /** Takes the time of an action that succeeds. */
  async timed<T>(action: MeasuredAction, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await work();
    const histogram = this.actions.get(action) ?? new Histogram();
    this.actions.set(action, histogram);
    histogram.add((performance.now() - began) / 1000);
    return result;
  }

  countRequest(method: string, status: number): void {
    const key = `${method} ${status}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
  }
}
