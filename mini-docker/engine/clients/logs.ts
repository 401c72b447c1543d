// GET /containers/ID/logs

import { notImplemented } from '../../formats/errors.ts';
import type { ContainersApi, LogEntry, LogsOptions } from '../core/engine.ts';
import { decodeLogOptions } from '../spec/log-options.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { openLog, type ReadLogOptions } from '../streams/log-reader.ts';
import { logDetails } from './log-details.ts';

export async function containerLogs(
  context: EngineContext,
  live: LiveContainer,
  options: LogsOptions,
): ReturnType<ContainersApi['logs']> {
  const { record, run } = live;
  if (!decodeLogOptions(record.hostConfig).keeps) {
    throw notImplemented('configured logging driver does not support reading');
  }
  const { stdout, stderr, follow, ...range } = options;
  const request: ReadLogOptions = { path: context.paths.container(live.id).log };
  if (range.tail !== undefined) request.tail = range.tail;
  if (range.since !== undefined) request.since = range.since;
  if (range.until !== undefined) request.until = range.until;
  if (range.signal !== undefined) request.signal = range.signal;
  if (follow && run?.output.log !== undefined) request.follow = run.output.log;
  const details = await logDetails(record);
  // Before the answer begins: a client may next remove the container, and read afterwards.
  const lines = await openLog(request);
  return { tty: record.config.Tty === true, details, entries: wanted(lines, { stdout, stderr }) };
}

async function* wanted(
  lines: AsyncIterable<LogEntry>,
  streams: { stdout: boolean; stderr: boolean },
): AsyncGenerator<LogEntry> {
  for await (const line of lines) if (streams[line.stream]) yield line;
}
