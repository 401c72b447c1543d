// Prints the stages that a stage needs.   Run: node stages.ts DOCKERFILE TARGET
import { readFileSync } from 'node:fs';
import { parseDockerfile, type Stage } from '../../chapters/14-build/dockerfile.ts';

const [file = '', target = ''] = process.argv.slice(2);
const stages = parseDockerfile(readFileSync(file, 'utf8'));

/** Finds a stage by its name or its number. @returns undefined for the name of an image */
function stageCalled(name: string): Stage | undefined {
  return stages.find((stage, number) => stage.name === name || `${number}` === name);
}

const needed = new Set<Stage>();
function need(stage: Stage | undefined): void {
  if (stage === undefined || needed.has(stage)) return;
  needed.add(stage);
  // TODO: which stages does this one need?
}

need(stageCalled(target));
for (const stage of stages) if (needed.has(stage)) console.log(stage.name);
