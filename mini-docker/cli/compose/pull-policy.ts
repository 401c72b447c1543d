// `pull_policy` of a service: when its image is pulled although there is one.

import { FormatError } from '../../formats/errors.ts';
import { reading } from './shapes.ts';

const SECONDS = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** Milliseconds after which an image is pulled again; undefined for a policy that does not look at the age. */
export function pullAge(policy: string): number | undefined {
  if (policy === 'daily') return SECONDS.d * 1000;
  if (policy === 'weekly') return SECONDS.w * 1000;
  const [, age] = /^every_((?:\d{1,9}[wdhms])+)$/.exec(policy) ?? [];
  if (age === undefined) return undefined;
  const parts = age.match(/\d+[wdhms]/g)!;
  const seconds = parts.map(part => Number.parseInt(part, 10) * SECONDS[part.at(-1) as keyof typeof SECONDS]);
  return seconds.reduce((sum, each) => sum + each, 0) * 1000;
}

const PLAIN = ['always', 'never', 'missing', 'if_not_present', 'build'];

export const pullPolicy = reading(
  `one of ${PLAIN.join(', ')}, daily, weekly, every_DURATION such as every_12h`,
  text => {
    if (!PLAIN.includes(text) && pullAge(text) === undefined) throw new FormatError(`${text} is not`);
    return text;
  },
);
