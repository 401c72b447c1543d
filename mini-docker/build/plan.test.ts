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

const plan = (target?: string, dockerfile = DOCKERFILE) =>
  planBuild(dockerfile, { target, baseOf: ({ from }) => from.image.replace('$WHICH', 'two') });

const stages = (target?: string) => plan(target).stages.map(each => [each.stage.index, each.firstStep]);

test('a target needs the stages it stands on, copies from and mounts, and no others', () => {
  expect(stages()).toEqual([
    [0, 2],
    [2, 4],
    [3, 7],
    [4, 8],
  ]);
  expect(plan()).toMatchObject({ target: 4, total: 11 });
  expect(stages('APP')).toEqual([
    [0, 2],
    [2, 4],
  ]);
  expect(stages('1')).toEqual([[1, 2]]);
});

test('only stages above have a name', () => {
  expect(stageCalled(DOCKERFILE.stages, 'data', 2)).toBe(undefined);
  expect(stageCalled(DOCKERFILE.stages, 'data', 4)).toBe(3);
  expect(stageCalled(DOCKERFILE.stages, '4', 4)).toBe(undefined);
});

test('a target that is not there is told with the one that was meant', () => {
  expect(() => plan('tols')).toThrow('target stage "tols" could not be found; did you mean tools?');
});

test('FROM names a stage also by a variable, and never by a number', () => {
  const dockerfile = parseDockerfile('FROM a AS two\nFROM 0 AS other\nFROM stage-$WHICH\nFROM $WHICH');
  expect(plan(undefined, dockerfile).stages.map(each => each.base)).toEqual([{ image: 'a' }, 0]);
  expect(plan('other', dockerfile).stages.map(each => each.base)).toEqual([{ image: '0' }]);
});

test('a flag that cannot be had is an error in a stage that is needed, with its line', () => {
  const dockerfile = parseDockerfile('FROM a AS one\nRUN --security=insecure x\nFROM b\nCOPY --from=c x y');
  expect(plan(undefined, dockerfile).stages).toHaveLength(1);
  expect(() => plan('one', dockerfile)).toThrow('dockerfile parse error on line 2: RUN --security=insecure');
});
