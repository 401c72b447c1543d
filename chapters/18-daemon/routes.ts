// The routes of the API. A route translates; boxes.ts and life.ts decide. The engine: mini-docker/api/containers.ts
// https://docs.docker.com/reference/api/engine/version/v1.44/
import { createConnection } from 'node:net';
import { arch, release } from 'node:os';
import { SIG } from '#linux';
import { tags } from '../09-images/store.ts';
import { pull } from '../17-registry/pull.ts';
import { allBoxes, type Box, create, Refusal, statusOf } from './boxes.ts';
import { keeperSocket } from './keeper.ts';
import { kill, remove, start, stop } from './life.ts';
import { type Exchange, type Route, VERSION } from './server.ts';
import { details, summary } from './shapes.ts';
import { answerWait, attach, isTrue, logs, showEvents, showStats } from './streams.ts';
import { type CreateRequest, imageName } from './wanted.ts';

const of = (rest: string): RegExp => new RegExp(`^/containers/([^/]+)${rest}$`);

export const routes: Route[] = [
  ['GET', /^\/_ping$/, ping],
  ['GET', /^\/version$/, ({ json }) => json(version())],
  ['GET', /^\/events$/, showEvents],
  ['GET', /^\/images\/json$/, ({ json }) => json(images())],
  ['POST', /^\/images\/create$/, pullImage],
  ['GET', /^\/containers\/json$/, list],
  ['POST', /^\/containers\/create$/, createBox],
  ['GET', of('/json'), ({ json, box }) => json(details(box()))],
  ['POST', of('/start'), async ({ empty, box }) => empty((await start(box())) ? 204 : 304)],
  [
    'POST',
    of('/stop'),
    async ({ empty, box, query }) => empty((await stop(box(), Number(query.get('t') ?? 10))) ? 204 : 304),
  ],
  ['POST', of('/kill'), signal],
  ['POST', of('/wait'), answerWait],
  ['DELETE', of(''), removeBox],
  ['POST', of('/resize'), resize],
  ['POST', of('/attach'), attach],
  ['GET', of('/logs'), logs],
  ['GET', of('/stats'), showStats],
];

/** A client that knows several versions takes the newest that both know, from this header. */
function ping({ stream }: Exchange): void {
  stream('text/plain').end('OK');
}

function list({ json, query }: Exchange): void {
  const filters = JSON.parse(query.get('filters') || '{}') as Record<string, Record<string, boolean>>;
  const beyond = Object.keys(filters).find(key => key !== 'name');
  if (beyond !== undefined)
    throw new Refusal(400, `this daemon filters by name, not by ${beyond}: mini-docker can`);
  const names = Object.keys(filters.name ?? {});
  const isAsked = ({ name }: Box): boolean => names.length === 0 || names.some(each => name.includes(each));
  const all = isTrue(query.get('all'));
  json(
    allBoxes()
      .filter(isAsked)
      .filter(box => all || ['running', 'restarting'].includes(statusOf(box)))
      .map(summary),
  );
}

async function createBox({ json, query, body }: Exchange): Promise<void> {
  const { id } = create(query.get('name') ?? '', await body<CreateRequest>());
  json({ Id: id, Warnings: [] }, 201);
}

function signal({ empty, box, query }: Exchange): void {
  const name = (query.get('signal') || 'KILL').replace(/^SIG/, '');
  const number = Number(name) || SIG[name as keyof typeof SIG];
  if (number === undefined) throw new Refusal(400, `there is no signal ${name}`);
  kill(box(), number);
  empty(204);
}

async function removeBox({ empty, box, query }: Exchange): Promise<void> {
  await remove(box(), isTrue(query.get('force')));
  empty(204);
}

function resize({ empty, box, query }: Exchange): void {
  const line = createConnection(keeperSocket(box().name)).on('error', () => {});
  line.end(`resize ${Number(query.get('h'))} ${Number(query.get('w'))}\n`);
  empty(200);
}

function version(): object {
  return {
    Version: '18.0.0-box',
    ApiVersion: `1.${VERSION.newest}`,
    MinAPIVersion: `1.${VERSION.oldest}`,
    Os: 'linux',
    Arch: arch() === 'x64' ? 'amd64' : arch(),
    KernelVersion: release(),
    GitCommit: '',
    GoVersion: `none: this is Node ${process.version}`,
  };
}

function images(): object[] {
  return [...tags()].map(([name, { digest }]) => ({
    Id: digest,
    RepoTags: [`${name}:latest`],
    RepoDigests: [],
    ParentId: '',
    Created: 0,
    Size: 0,
    SharedSize: -1,
    Containers: -1,
    Labels: {},
  }));
}

/** What `docker run` asks for when the image is missing. */
async function pullImage({ json, query }: Exchange): Promise<void> {
  const name = imageName(`${query.get('fromImage')}:${query.get('tag') || 'latest'}`);
  await pull(name);
  json({ status: `${name} is here` });
}
