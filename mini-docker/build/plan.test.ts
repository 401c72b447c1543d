import { expect, test } from 'vitest';
import { parseDockerfile } from '../formats/dockerfile/dockerfile.ts';
import { planBuild, stageCalled } from './plan.ts';

const DOCKERFILE = parseDockerfile(`ARG A
FROM busybox AS tools
RUN one
FROM scratch AS unused
FROM Tools AS app
COPY --from=0 /a /b
RUN --mount=type=bind,from=data,target=/d two
FROM busybox AS data
FROM app
COPY --from=data / /
COPY --from=alpine / /
CMD x
`);

const stages = (target?: string) =>
  planBuild(DOCKERFILE, target).stages.map(each => [each.stage.index, each.needs, each.firstStep]);

test('a target needs the stages it stands on, copies from and mounts, and no others', () => {
  expect(stages()).toEqual([
    [0, [], 2],
    [2, [0], 4],
    [3, [], 7],
    [4, [2, 3], 8],
  ]);
  expect(planBuild(DOCKERFILE, undefined)).toMatchObject({ target: 4, total: 11 });
  expect(stages('APP')).toEqual([
    [0, [], 2],
    [2, [0], 4],
  ]);
  expect(stages('1')).toEqual([[1, [], 2]]);
});

test('only stages above have a name', () => {
  expect(stageCalled(DOCKERFILE.stages, 'data', 2)).toBe(undefined);
  expect(stageCalled(DOCKERFILE.stages, 'data', 4)).toBe(3);
  expect(stageCalled(DOCKERFILE.stages, '4', 4)).toBe(undefined);
});

test('a target that is not there is told with the one that was meant', () => {
  expect(() => planBuild(DOCKERFILE, 'tols')).toThrow(
    'target stage "tols" could not be found; did you mean tools?',
  );
});
