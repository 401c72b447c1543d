import { expect, test } from 'vitest';
import type { ImageLayer, ImageLayers } from '../../formats/engine-api/images.ts';
import { layersPicture } from './layers-picture.ts';

const none = { Count: 0, Size: 0, Largest: [] };
const layer = (fields: Partial<ImageLayer>): ImageLayer => ({
  DiffId: 'sha256:0',
  Created: '2024-01-01T00:00:00Z',
  CreatedBy: '',
  Size: 0,
  Hidden: 0,
  Added: none,
  Changed: none,
  Deleted: none,
  ...fields,
});

const IMAGE: ImageLayers = {
  Id: `sha256:${'0123456789ab'.repeat(5)}0123`,
  RepoTags: ['web:1'],
  Size: 5_000_000,
  Hidden: 4_000_000,
  Layers: [
    layer({
      CreatedBy: 'base',
      Size: 1_000_000,
      Added: { Count: 400, Size: 1_000_000, Largest: [{ Path: '/bin/sh', Size: 1_000_000 }] },
    }),
    layer({
      CreatedBy: 'COPY big /',
      Size: 4_000_000,
      Hidden: 4_000_000,
      Added: { Count: 1, Size: 4_000_000, Largest: [{ Path: '/big', Size: 4_000_000 }] },
    }),
    layer({
      CreatedBy: `RUN rm /big && ${'a long line '.repeat(30)}`,
      Deleted: { Count: 1, Size: 4_000_000, Largest: [{ Path: '/big', Size: 4_000_000 }] },
    }),
  ],
};

test('the newest layer is on top, and what is deleted above is waste below', () => {
  const text = layersPicture(IMAGE, { name: 'web:1', width: 80, now: Date.parse('2024-01-03T00:00:00Z') });
  const lines = text.split('\n');
  expect(lines[0]).toBe('web:1 (0123456789ab): 3 layers, 5MB');
  expect(lines[2]).toMatch(/^┌─ 3 ─ 2 days ago ─+ 0B ─┐$/);
  expect(text).toMatch(/│ - 1 deleted {8}4MB {2}\/big +│\n├─ 2 ─ 2 days ago ─+ 4MB ─┤\n│ COPY big \/ +│/);
  expect(text).toContain(`${'▒'.repeat(16)}···· 80%, 4MB of it hidden by a layer above`);
  expect(text).toMatch(
    /├─ 1 ─.*1MB ─┤\n│ base +│\n│ ████·{16} 20% +│\n│ \+ 400 added +1MB {2}\/bin\/sh, … +│\n└─+┘/,
  );
  expect(text).toContain('4MB of 5MB (80%) can no longer be seen');
  for (const line of lines.slice(2, -4)) expect([...line].length, line).toBe(80);
});

test('an image without waste says so, and one without layers is drawn', () => {
  const [base] = IMAGE.Layers;
  expect(layersPicture({ ...IMAGE, Hidden: 0, Layers: [base!] }, { name: 'x', width: 60, now: 0 })).toContain(
    'Nothing is hidden',
  );
  expect(layersPicture({ ...IMAGE, RepoTags: [], Layers: [] }, { name: 'x', width: 60, now: 0 })).toContain(
    '0 layers',
  );
});
