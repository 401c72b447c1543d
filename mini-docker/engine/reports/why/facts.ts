// The facts that findings are based on, and the wording that findings share.

import type { Finding } from '../../../formats/why-report.ts';
import { SIG } from '../../../linux/constants.ts';
import type { ContainerRecord, RecordState } from '../../state/record.ts';
import type { PortHolder } from './port-holder.ts';

/** Facts about an ended container that are known without asking the kernel. */
export interface Facts {
  name: string;
  record: ContainerRecord;
  state: RecordState;
  /** Who has the port that its start wanted. */
  portHolder?: PortHolder;
  /** The last lines of the container's log, shortened. */
  lastLines: readonly string[];
}

/** A rule gives one finding, or undefined when it does not apply. */
export type Rule<F> = (facts: F) => Finding | undefined;

export const findings = <F>(rules: readonly Rule<F>[], facts: F): Finding[] =>
  rules.map(rule => rule(facts)).filter(found => found !== undefined);

/** '12:03:04' in the daemon's time zone; unless it is today, the date follows. */
export function clock(timestamp: string): string {
  const time = new Date(timestamp);
  const two = (number: number) => String(number).padStart(2, '0');
  const hours = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  if (time.toDateString() === new Date().toDateString()) return hours;
  return `${hours} on ${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** Name of a signal: 'SIGTERM'. */
export function signalName(number: number): string {
  const name = Object.entries(SIG).find(([, value]) => value === number)?.[0];
  return name === undefined ? `signal ${number}` : `SIG${name}`;
}

/** Duration as text: '1.5 s'. */
export const seconds = (milliseconds: number): string =>
  milliseconds >= 10_000
    ? `${Math.round(milliseconds / 1000)} s`
    : `${Math.round(milliseconds / 100) / 10} s`;

export const between = (from: string, to: string): string =>
  seconds(Math.max(0, Date.parse(to) - Date.parse(from)));

export const logEvidence = (lines: readonly string[]): string[] => lines.map(line => `its log: ${line}`);
