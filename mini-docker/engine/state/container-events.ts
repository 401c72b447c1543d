import type { EngineContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';

/** An event of a container, with the attributes that docker gives it: its labels, image and name, and `more`. */
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
