// Joins an existing namespace through a file that stands for it.
import { AT, close, type Item, O, openat, resultOf, setns } from '#linux';

/**
 * @param file /proc/PID/ns/KIND, or a file on which such a link is mounted
 * @param kind CLONE.NEW*: the kernel refuses a namespace of any other kind
 */
export function joinNamespace(file: string, kind: number): Item[] {
  const namespace = openat(AT.FDCWD, file, O.RDONLY | O.CLOEXEC, 0);
  return [namespace, setns(resultOf(namespace), kind), close(resultOf(namespace))];
}
