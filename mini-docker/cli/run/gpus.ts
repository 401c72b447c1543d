// --gpus: 'all', a number, or a line of options. https://docs.docker.com/reference/cli/docker/container/run/#gpus

import { decodeCsvLine } from '../../formats/csv.ts';
import { FormatError } from '../../formats/errors.ts';

interface DeviceRequest {
  Driver: string;
  /** Number of GPUs, -1 for all. */
  Count: number;
  DeviceIDs?: string[];
  Capabilities: string[][];
}

/** Decodes an entry of HostConfig.DeviceRequests. @throws FormatError when it is malformed */
export function decodeGpus(text: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, Capabilities: [['gpu']] };
  for (const field of decodeCsvLine(text)) {
    const [key = '', ...rest] = field.includes('=') ? field.split('=') : ['count', field];
    const value = rest.join('=');
    if (key === 'driver') request.Driver = value;
    else if (key === 'device') request.DeviceIDs = value.split(',');
    else if (key === 'capabilities') request.Capabilities = [[...value.split(','), 'gpu']];
    else if (key === 'count') request.Count = value === 'all' ? -1 : count(value);
    else if (key !== 'options') throw new FormatError(`unexpected key '${key}' in '${field}'`);
  }
  // Without a count or a list, it is one.
  return request.Count === 0 && request.DeviceIDs === undefined ? { ...request, Count: 1 } : request;
}

function count(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new FormatError(`invalid count (${text}): value must be either "all" or an integer`);
}
