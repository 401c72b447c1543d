// GET /metrics, for Prometheus.
import type { Engine } from '../engine/core/engine.ts';
import { PROMETHEUS_TYPE } from '../formats/prometheus.ts';
import { type Answer, type Route, route } from './router.ts';

export const metricsAnswer = async (engine: Engine): Promise<Answer> => ({
  status: 200,
  body: await engine.system.metrics(),
  headers: { 'Content-Type': PROMETHEUS_TYPE },
});

export const metricsRoutes: Route[] = [route('GET', '/metrics', ({ engine }) => metricsAnswer(engine))];
