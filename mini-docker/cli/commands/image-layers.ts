import type { ImageLayers } from '../../formats/engine-api/images.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { layersPicture } from '../show/layers-picture.ts';
import { write } from '../show/output.ts';

const [NARROWEST, WIDEST] = [60, 100];

export const imageLayers = command({
  usage: '[OPTIONS] IMAGE',
  description:
    'The stack of layers, the newest on top. What a layer deletes or changes stays in the layer below, is stored and sent, and can no longer be seen: the waste.',
  flags: { format: text('string', 'How to print: json') },
  examples: [
    ['image layers busybox', 'Draw the layers of an image'],
    ['image layers --format json busybox', 'Print JSON'],
  ],
  async run({ flags, args, daemon }) {
    if (flags.format !== undefined && flags.format !== 'json') {
      throw new CommandError(`there is no format ${JSON.stringify(flags.format)}: only json`);
    }
    const query = { name: args[0] };
    const image = await daemon.json<ImageLayers>('GET', '/mini-docker/image-layers', { query });
    if (flags.format === 'json') write(`${JSON.stringify(image, null, 4)}\n`);
    else {
      const width = Math.min(Math.max(process.stdout.columns || 80, NARROWEST), WIDEST);
      write(layersPicture(image, { name: args[0]!, width, now: Date.now() }));
    }
  },
});
