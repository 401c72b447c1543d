import type { EngineContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';

/** Publishes a container's event with docker's attributes: its labels, image and name, and `more`. */
export function containerEvent(
  context: EngineContext,
  container: LiveContainer,
  action: string,
  more: Record<string, string> = {},
): void {
  const { id, name, record } = container;
  const attributes = { ...record.config.Labels, ...more, image: record.config.Image ?? '', name };
  context.events.emit('container', action, { id, attributes });
}
