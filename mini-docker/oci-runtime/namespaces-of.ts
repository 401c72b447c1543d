// The namespaces in which a process differs from this one: joining one's own user namespace is an error, and
// joining others is needless.
import type { NamespaceType } from '../formats/oci/runtime-spec.ts';
import { type NamespaceName, namespaceInode } from '../linux/proc/namespaces.ts';
import { NAMESPACE_FLAG } from '../runtime/namespaces.ts';
import { namespaceFile } from './supported.ts';

const TYPES = Object.keys(NAMESPACE_FLAG) as NamespaceType[];

export function typesOf(pid: number): NamespaceType[] {
  return TYPES.filter(type => {
    const name = namespaceFile(type) as NamespaceName;
    const inode = namespaceInode(pid, name);
    return inode !== undefined && inode !== namespaceInode('self', name);
  });
}

/** Flags of setns(2). */
export function namespacesOf(pid: number): number[] {
  return typesOf(pid).map(type => NAMESPACE_FLAG[type]);
}
