// Decodes signals as users write them: 'SIGTERM', 'term', '15', 'RTMIN+3'.

import { badParameter } from '../../formats/errors.ts';
import { SIG } from '../../linux/constants.ts';

/** glibc keeps the first two real-time signals for itself and calls the third SIGRTMIN; users mean that one. */
const RTMIN = 34;
const RTMAX = 64;

/** @throws badParameter when `text` is not a signal */
export function signalNumber(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : named(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > RTMAX) throw badParameter(`invalid signal: ${text}`);
  return number;
}

function named(name: string): number | undefined {
  if (Object.hasOwn(SIG, name)) return SIG[name as keyof typeof SIG];
  if (name === 'CLD') return SIG.CHLD;
  if (name === 'POLL') return SIG.IO;
  if (name === 'IOT') return SIG.ABRT;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!realTime) return undefined;
  const offset = Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
  const number = (realTime[1] === 'MIN' ? RTMIN : RTMAX) + offset;
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
