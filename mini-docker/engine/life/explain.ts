// `run --explain`: the steps that would start a container, and nothing of it stays.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainedStep } from '../../formats/explanation.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import { dataPaths } from '../core/paths.ts';
import type { EngineContext } from '../state/context.ts';
import { programError } from '../state/start-errors.ts';
import { type CreateRequest, draftRecord, findImage } from './create.ts';
import { prepareSpec } from './start.ts';

export async function explainContainer(
  context: EngineContext,
  request: CreateRequest,
): Promise<ExplainedStep[]> {
  const image = await findImage(context, request);
  const id = context.containers.newId();
  const record = draftRecord(context, { ...request, image, id, name: 'explained' });
  // The same preparations as for a start, with another data root, whose path is then replaced in what is shown.
  const elsewhere = mkdtempSync(join(context.paths.runDir, 'explain-'));
  try {
    const { initLayer } = context.paths;
    const paths = { ...dataPaths({ dataRoot: elsewhere, runDir: elsewhere }), initLayer };
    const { upperdir, workdir, run } = paths.container(id);
    for (const path of [upperdir, workdir, run]) mkdirSync(path, { recursive: true });
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
    return steps.map(step => ({ ...step, call: real(step.call), reason: real(step.reason) }));
  } catch (error) {
    throw programError(error, record);
  } finally {
    removeTreeNow(elsewhere);
  }
}
