import type { Image } from '../../images/image.ts';
import type { EngineContext } from '../state/context.ts';

export type ImageAction = 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import';

/** `id`: the image's, or for a pull and a push the name, as dockerd has it. */
export function imageEvent(
  { events }: Pick<EngineContext, 'events'>,
  action: ImageAction,
  { id, name, config }: Pick<Image, 'id' | 'config'> & { name: string },
): void {
  events.emit('image', action, { id, attributes: { ...config.config?.Labels, name } });
}
