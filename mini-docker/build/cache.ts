// The results of earlier builds: a step's key, which covers everything that affects the step, and the layer
// it made.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '../formats/oci/digest.ts';
import { integer, object, parse, string } from '../formats/schema.ts';
import type { LooseLayer, LooseLayers } from '../images/image.ts';
import { ensureDirectory, readRegular, type Tell } from '../linux/kept-file.ts';
import { writeWhole } from '../linux/whole-file.ts';

export interface CachedStep {
  /** Time at which the step ran, in RFC 3339. */
  created: string;
  /** The step as the image's history words it. */
  did: string;
  /** The step's layer; undefined when the step changed no files. */
  layer?: LooseLayer;
}

export interface CacheRecord {
  /** Key of the step, in hexadecimal digits. */
  key: string;
  diffId?: string;
  did: string;
  created: string;
  /** Time of the last use, in milliseconds since 1970. */
  used: number;
  uses: number;
}

export interface StepCache {
  /** The step with this key; undefined when there is none, or when its layer has been removed. */
  find(key: string): CachedStep | undefined;
  add(key: string, step: CachedStep): void;
  records(): CacheRecord[];
  remove(keys: readonly string[]): void;
}

/** A key that differs when any part differs. */
export function keyOf(...parts: readonly (string | readonly string[])[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function openStepCache(directory: string, layers: LooseLayers, tell: Tell): StepCache {
  ensureDirectory(directory, { mode: 0o700, tell });
  const path = join(directory, 'steps.jsonl');
  const steps = readSteps(path, tell);
  write();

  function write(): void {
    writeWhole(path, [...steps.values()].map(line).join(''));
  }

  layers.keep(function* () {
    for (const { diffId } of steps.values()) if (diffId !== undefined) yield diffId;
  });

  return {
    find(key) {
      const step = steps.get(key);
      if (step === undefined) return undefined;
      const layer = step.diffId === undefined ? undefined : layers.find(step.diffId);
      if (step.diffId !== undefined && layer === undefined) return undefined;
      step.used = Date.now();
      step.uses += 1;
      const { created, did } = step;
      return { created, did, ...(layer === undefined ? {} : { layer }) };
    },
    add(key, { layer, did, created }) {
      const diffId = layer === undefined ? {} : { diffId: layer.diffId };
      const record: CacheRecord = { key, ...diffId, did, created, used: Date.now(), uses: 0 };
      steps.set(key, record);
      // Not synced: if the machine crashes, the step only has to run again.
      appendFileSync(path, line(record), { mode: 0o600 });
    },
    records: () => [...steps.values()],
    remove(keys) {
      for (const key of keys) steps.delete(key);
      write();
    },
  };
}

const line = (record: CacheRecord): string => `${JSON.stringify(record)}\n`;

/** Largest size of the cache's record file, in bytes. */
const LARGEST = 64 << 20;

const cacheRecord = object(
  { diffId: string },
  { key: string, did: string, created: string, used: integer, uses: integer },
);

/** Records that cannot be read are dropped: losing a cache entry does no harm. */
function readSteps(path: string, tell: Tell): Map<string, CacheRecord> {
  const steps = new Map<string, CacheRecord>();
  let text = '';
  try {
    text = readRegular(path, LARGEST).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      tell(`the build cache is forgotten: ${(error as Error).message}`);
    return steps;
  }
  for (const each of text.split('\n')) {
    try {
      const record = parse(each, 'step', cacheRecord);
      if (record.diffId === undefined || isDigest(record.diffId)) steps.set(record.key, record);
    } catch {
      // The unfinished last line of a daemon that was killed, or the empty line at the end.
    }
  }
  return steps;
}
