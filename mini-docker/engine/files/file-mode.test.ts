import { expect, test } from 'vitest';
import { encodeFileMode } from './file-mode.ts';

test("file modes are those of Go's os.FileMode", () => {
  expect(encodeFileMode(0o100644)).toBe(0o644);
  expect(encodeFileMode(0o040755)).toBe(2147484141);
  expect(encodeFileMode(0o120777)).toBe(134218239);
  expect(encodeFileMode(0o020666)).toBe(69206454);
  expect(encodeFileMode(0o104755)).toBe(8389101);
  expect(encodeFileMode(0o041777)).toBe(2148532735);
});
