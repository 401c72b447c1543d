import type { EngineContext } from '../state/context.ts';

export type ImageAction = 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import';

/** `id`: the image's, or for a pull and a push the name, as dockerd has it. */
export function imageEvent(
  { events }: Pick<EngineContext, 'events'>,
  action: ImageAction,
  id: string,
  name: string,
): void {
  events.emit('image', action, { id, attributes: { name } });
}
