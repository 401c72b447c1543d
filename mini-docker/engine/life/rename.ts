// POST /containers/ID/rename

import { badParameter, ExpectedError } from '../../formats/errors.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

/** Reserves the new name before it releases the old one, so the container always has a name. */
export async function renameContainer(
  context: EngineContext,
  live: LiveContainer,
  wanted: string,
): Promise<void> {
  if (wanted === '') throw badParameter('Neither old nor new names may be empty');
  using _held = await live.hold();
  const { record } = live;
  const oldName = record.name;
  if (wanted.replace(/^\//, '') === oldName) {
    throw badParameter('Renaming a container with the same name as its current name');
  }
  try {
    record.name = context.containers.reserveName(wanted, live.id);
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    throw new ExpectedError(error.kind, `Error when allocating new name: ${error.message}`);
  }
  try {
    context.records.save(record);
  } catch (error) {
    context.containers.releaseName(record.name, live.id);
    record.name = oldName;
    throw error;
  }
  context.containers.releaseName(oldName, live.id);
  context.networks.rename(live.id, record.name);
  for (const { networkName, dnsNames } of context.networks.endpoints(live.id)) {
    const settings = record.networks[networkName];
    if (settings) settings.DNSNames = dnsNames;
  }
  containerEvent(context, live, 'rename', { oldName: `/${oldName}` });
  await context.records.settled(live.id);
}
