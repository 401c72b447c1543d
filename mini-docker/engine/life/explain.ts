// `run --explain`: the steps that would start a container; everything made for them is removed again.

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainedStep } from '../../formats/explanation.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import type { CreateRequest } from '../core/create-request.ts';
import { dataPaths } from '../core/paths.ts';
import { wantedBindings } from '../networks/connections.ts';
import { sharedWith } from '../networks/owner.ts';
import { interfaceName } from '../networks/requested.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { programError } from '../state/start-errors.ts';
import { draftRecord, findImage, findMountedImages } from './create.ts';
import { prepareSpec } from './start.ts';

export async function explainContainer(
  context: EngineContext,
  request: CreateRequest,
): Promise<ExplainedStep[]> {
  const image = await findImage(context, request);
  const id = context.containers.newId();
  const mountedImages = await findMountedImages(context, request);
  const record = draftRecord(context, { ...request, image, mountedImages, id, name: 'explained' });
  // The preparations of a real start, with another data root, whose path is replaced in the printed steps.
  const elsewhere = mkdtempSync(join(context.paths.runDir, 'explain-'));
  try {
    const { initLayer } = context.paths;
    const paths = { ...dataPaths({ dataRoot: elsewhere, runDir: elsewhere }), initLayer };
    const { upperdir, workdir, run } = paths.container(id);
    for (const path of [upperdir, workdir, run]) makeDirectories(path);
    const { spec, layers } = await prepareSpec({ ...context, paths }, record);
    const { runtime } = context;
    const stdin = record.config.OpenStdin === true;
    const steps = runtime.explain({
      spec,
      directory: run,
      rootfs: layers,
      stdin,
      init: record.hostConfig.Init === true,
    });
    const real = (text: string) =>
      text
        .replaceAll(run, context.paths.container(id).run)
        .replaceAll(`${elsewhere}/rootfs`, `${context.paths.runDir}/rootfs`)
        .replaceAll(elsewhere, context.paths.dataRoot);
    const shown = steps.map(step => ({ ...step, call: real(step.call), reason: real(step.reason) }));
    // At this point the container's process waits.
    const waits = shown.findIndex(({ group }) => group === 'wait for start');
    return shown.toSpliced(waits, 0, ...explainNetworks(context, record));
  } catch (error) {
    throw programError(error, record);
  } finally {
    removeTreeNow(elsewhere);
  }
}

function explainNetworks(context: EngineContext, record: ContainerRecord): ExplainedStep[] {
  if (record.config.NetworkDisabled || sharedWith(record) !== undefined) return [];
  return Object.entries(record.networks)
    .filter(([network]) => network !== 'host')
    .flatMap(([network, settings], index) =>
      context.networks.explain({
        network,
        interface: interfaceName(settings) ?? `eth${index}`,
        ...(settings.IPAMConfig?.IPv4Address && { ipAddress: settings.IPAMConfig.IPv4Address }),
        bindings: index === 0 ? wantedBindings(record) : {},
      }),
    );
}
