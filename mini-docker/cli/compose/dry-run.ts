// `compose --dry-run`: answers every request that would change something in the daemon's place, and remembers it, so that
// the commands go on as if it had been done.

import type { ContainerInspect, ContainerSummary } from '../../formats/engine-api/containers.ts';
import type { DaemonClient, RequestOptions } from '../daemon/client.ts';
import type { HttpResponse } from '../daemon/http-connection.ts';
import { collected } from '../daemon/http-connection.ts';

/** What a container would be like now. */
interface Imagined {
  summary: ContainerSummary;
  /** Whether the daemon knows it. */
  isReal: boolean;
  isRemoved: boolean;
}

const STATES: Record<string, ContainerSummary['State']> = {
  start: 'running',
  restart: 'running',
  unpause: 'running',
  stop: 'exited',
  kill: 'exited',
  pause: 'paused',
};

/** From now on this client changes nothing. */
export function makeDry(daemon: DaemonClient): void {
  const containers = new Map<string, Imagined>();
  const images = new Set<string>();
  let count = 0;

  const real = async <T>(path: string, options?: RequestOptions): Promise<T> => {
    const { body } = await daemon.direct('GET', path, options);
    return JSON.parse((await collected(body)).toString()) as T;
  };
  const list = async (options: RequestOptions): Promise<ContainerSummary[]> => {
    const known = await real<ContainerSummary[]>('/containers/json', options);
    for (const summary of known)
      if (!containers.has(summary.Id))
        containers.set(summary.Id, { summary, isReal: true, isRemoved: false });
    return [...containers.values()].filter(each => !each.isRemoved).map(each => each.summary);
  };
  const inspected = async (id: string): Promise<object> => {
    const { summary, isReal } = containers.get(id) ?? { isReal: true };
    const found = isReal
      ? await real<ContainerInspect>(`/containers/${id}/json`)
      : { Id: id, Name: summary!.Names[0], Mounts: [], Config: { Labels: summary!.Labels } };
    if (summary === undefined) return found;
    const Running = summary.State === 'running';
    // Nothing can be waited for.
    return { ...found, State: { Running, ExitCode: 0, Health: { Status: 'healthy' } } };
  };
  const create = ({ query, json }: RequestOptions): object => {
    const Id = (++count).toString(16).padStart(64, '0');
    const { Labels = {}, Image } = json as { Labels?: Record<string, string>; Image: string };
    const summary = { Id, Names: [`/${query?.name}`], Labels, Image, ImageID: Image, State: 'created' };
    containers.set(Id, { summary: summary as ContainerSummary, isReal: false, isRemoved: false });
    return { Id, Warnings: [] };
  };
  const change = (method: string, path: string, { query }: RequestOptions): object => {
    const [, kind, id = '', verb = ''] = path.split('/').map(decodeURIComponent);
    const container = kind === 'containers' ? containers.get(id) : undefined;
    if (container === undefined) return { Id: id };
    if (method === 'DELETE') container.isRemoved = true;
    else if (verb === 'rename') container.summary = { ...container.summary, Names: [`/${query?.name}`] };
    else if (verb in STATES) container.summary = { ...container.summary, State: STATES[verb]! };
    return verb === 'wait' ? { StatusCode: 0 } : { Id: `exec-in-${id}` };
  };
  const imagesAsked = ({ query }: RequestOptions): string[] =>
    (query?.t as string[] | undefined) ?? [`${query?.fromImage}:${query?.tag || 'latest'}`];

  const answerOf = async (method: string, path: string, options: RequestOptions): Promise<unknown> => {
    const [, kind = '', name = '', last = ''] = path.split('/').map(decodeURIComponent);
    if (method === 'GET') {
      if (path === '/containers/json') return list(options);
      if (kind === 'containers' && last === 'json') return inspected(name);
      if (kind === 'images' && (images.has(name) || images.has(`${name}:latest`)))
        return { Id: `sha256:${'0'.repeat(64)}`, Metadata: {} };
      return kind === 'exec' ? { ExitCode: 0 } : undefined;
    }
    if (path === '/containers/create') return create(options);
    if (path === '/images/create' || path === '/build') {
      for (const each of imagesAsked(options)) images.add(each);
      return '';
    }
    return kind === 'exec' || last === 'push' ? '' : change(method, path, options);
  };

  daemon.standIn = async (method, path, options = {}): Promise<HttpResponse | undefined> => {
    const answer = await answerOf(method, path, options);
    if (answer === undefined) return undefined;
    async function* body(): AsyncGenerator<Buffer, void> {
      if (answer !== '') yield Buffer.from(JSON.stringify(answer));
    }
    return { status: 200, headers: {}, body: body() };
  };
}
