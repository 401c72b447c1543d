// Routes for files in containers' root filesystems.

import type { ContainerPathStat } from '../formats/engine-api/containers.ts';
import { badParameter, notFound } from '../formats/errors.ts';
import { object, string } from '../formats/schema.ts';
import { requiredJsonBody } from './json-body.ts';
import { sendTar } from './pump.ts';
import { flag, path } from './query.ts';
import { type Call, empty, type Route, reads, route } from './router.ts';

export const containerFileRoutes: Route[] = [
  route('HEAD', '/containers/{id}/archive', statPath),
  route('GET', '/containers/{id}/archive', getArchive),
  route('PUT', '/containers/{id}/archive', putArchive),
  route('POST', '/containers/{id}/copy', copy),
  route('GET', '/containers/{id}/export', async call =>
    sendTar(call, await call.engine.containers.export(call.params.id!)),
  ),
  reads('GET', '/containers/{id}/changes', ({ engine, params }) => engine.containers.changes(params.id!)),
];

async function statPath(call: Call) {
  const stat = await call.engine.containers.statPath(call.params.id!, pathOf(call));
  return { status: 200, headers: statHeader(stat) };
}

async function getArchive(call: Call) {
  const { stat, tar } = await call.engine.containers.getArchive(call.params.id!, pathOf(call));
  return sendTar(call, tar, statHeader(stat));
}

/** The predecessor of GET /archive, until 1.23. */
async function copy(call: Call) {
  if (call.version >= 24) throw notFound('page not found');
  const { Resource } = await requiredJsonBody(call, object({ Resource: string }));
  if (!Resource) throw badParameter('bad parameter: Resource cannot be empty');
  const { tar } = await call.engine.containers.getArchive(call.params.id!, Resource);
  return sendTar(call, tar);
}

async function putArchive(call: Call) {
  const { engine, params, query, request } = call;
  await engine.containers.putArchive(params.id!, pathOf(call), {
    // Leaving the loop early must not close the connection, which the answer still needs.
    tar: request.iterator({ destroyOnReturn: false }),
    noOverwriteDirNonDir: flag(query, 'noOverwriteDirNonDir'),
    copyUIDGID: flag(query, 'copyUIDGID'),
  });
  return empty(200);
}

function pathOf({ request }: Call): string {
  const found = path(request.url!, 'path');
  if (found === undefined) throw badParameter('bad parameter: path cannot be empty');
  if (found.includes('\0')) throw badParameter('bad parameter: path cannot have a NUL in it');
  return found;
}

function statHeader(stat: ContainerPathStat): Record<string, string> {
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}
