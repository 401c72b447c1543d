// Takes over the networks of an earlier daemon whose containers still run.

import { giveBackShared } from './connections.ts';
import { recoverConnections } from './found-cables.ts';
import type { RunningContainer } from './network.ts';
import type { Parts } from './parts.ts';

export async function adopt(parts: Parts, running: readonly RunningContainer[]): Promise<void> {
  const { catalog, attachments, publications, switchboard, nameServers, sweeper, problems } = parts;
  const { containers } = attachments;
  const pids = new Map(running.map(each => [each.containerId, each.pid]));
  for (const record of [...containers.values()]) {
    const pid = pids.get(record.containerId);
    if (pid === undefined) {
      const gone = attachments.detach(record.containerId);
      giveBackShared(parts, gone);
      sweeper.add(gone.map(each => each.link));
    } else attachments.save({ ...record, pid });
  }
  parts.sandboxes.keepOnly(running.filter(each => each.known !== undefined));
  for (const each of running) recoverConnections(parts, each);
  await sweeper.sweep();
  // Ports before rules, so that the rules always contain every published port.
  const publishing = [...containers.values()].filter(each => Object.keys(each.ports).length > 0);
  const note = (error: Error): void => void problems.push(error.message);
  for (const record of publishing) await publications.adopt(record).catch(note);
  for (const { record } of catalog.networks.values())
    if (switchboard.exists(record)) await switchboard.stand(record);
  // Without rules, sockets have to forward, and not only to hold their ports.
  if (switchboard.nat === false)
    for (const record of publishing) await publications.publish(record, record.ports).catch(note);
  for (const id of containers.keys()) {
    await nameServers.follow(id).catch(error => {
      // It exited while no daemon ran: its network is released next.
      if (error.code !== 'ENOENT') note(error);
    });
  }
}
