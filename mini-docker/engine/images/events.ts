import type { Image } from '../../images/image.ts';
import type { EngineContext } from '../state/context.ts';

export type ImageAction = 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import';

/** `id`: the image's id; for a pull or a push its name, as in dockerd. */
export function imageEvent(
  { events }: Pick<EngineContext, 'events'>,
  action: ImageAction,
  { id, name, config }: Pick<Image, 'id' | 'config'> & { name: string },
): void {
  events.emit('image', action, { id, attributes: { ...config.config?.Labels, name } });
}
