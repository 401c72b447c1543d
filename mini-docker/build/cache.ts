// What earlier builds did: the key of a step, which stands for everything that went into it, and the layer it made.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LooseLayer, LooseLayers } from '../images/image.ts';
import { writeWhole } from '../linux/whole-file.ts';

export interface CachedStep {
  /** RFC 3339: when it was done. */
  created: string;
  /** In the words of the history. */
  did: string;
  /** undefined: it changed no files. */
  layer?: LooseLayer;
}

export interface CacheRecord {
  /** Hexadecimal digits. */
  key: string;
  diffId?: string;
  did: string;
  created: string;
  /** Milliseconds since 1970. */
  used: number;
  uses: number;
}

export interface StepCache {
  /** undefined also when its layer has gone. */
  find(key: string): CachedStep | undefined;
  add(key: string, step: CachedStep): void;
  records(): CacheRecord[];
  remove(keys: readonly string[]): void;
}

/** A key that differs when anything in it does. */
export function keyOf(...parts: readonly (string | readonly string[])[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function openStepCache(directory: string, layers: LooseLayers): StepCache {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'steps.jsonl');
  const steps = readSteps(path);
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
      // Not synced: after a crash of the machine a step is done once more.
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

/** What cannot be read is forgotten: it is a cache. */
function readSteps(path: string): Map<string, CacheRecord> {
  const steps = new Map<string, CacheRecord>();
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return steps;
  }
  for (const each of text.split('\n')) {
    try {
      const record = JSON.parse(each) as CacheRecord;
      if (typeof record.key === 'string') steps.set(record.key, record);
    } catch {
      // The last line of a daemon that was killed, or the empty one.
    }
  }
  return steps;
}
