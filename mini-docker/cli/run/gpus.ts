// --gpus: 'all', a number, or a line of options. https://docs.docker.com/reference/cli/docker/container/run/#gpus

import { decodeCsvLine } from '../../formats/csv.ts';
import { FormatError } from '../../formats/errors.ts';

interface DeviceRequest {
  Driver: string;
  /** -1: all that there are. */
  Count: number;
  DeviceIDs?: string[];
  Capabilities: string[][];
}

/** An entry of HostConfig.DeviceRequests. Throws FormatError. */
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
  // Without a word about which, it is one.
  return request.Count === 0 && request.DeviceIDs === undefined ? { ...request, Count: 1 } : request;
}

function count(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new FormatError(`invalid count (${text}): value must be either "all" or an integer`);
}
