// The reference of #linux, read from its sources, so that it is never out of date.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { repository } from './repository.ts';

export interface Entry {
  name: string;
  /** 'mini-docker/linux/clone.ts' */
  file: string;
  /** Its comment; '' without one. */
  doc: string;
  /** Its declaration, without a body. */
  signature: string;
}

export interface Example {
  file: string;
  line: number;
  text: string;
}

const INDEX = join(repository, 'mini-docker/linux/linux.ts');

/** Everything that #linux exports, in the order of its index. */
export function entries(): Entry[] {
  const index = readFileSync(INDEX, 'utf8');
  return [...index.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '([^']+)';/gm)].flatMap(match => {
    const file = join(dirname(INDEX), match[2]!);
    const all = declarations(file);
    if (match[1] === '*') return all;
    const names = match[1]!.replace(/[{}]|type /g, '').split(',');
    return names.flatMap(name => all.find(each => each.name === name.trim()) ?? []);
  });
}

function declarations(file: string): Entry[] {
  const source = readFileSync(file, 'utf8');
  const pattern =
    /(\/\*\*(?:(?!\*\/).)*\*\/\n)?^export (?:async )?(?:function|const|class|interface|type) (\w+)/gms;
  return [...source.matchAll(pattern)].map(match => ({
    name: match[2]!,
    file: relative(repository, file),
    doc: plain(match[1] ?? ''),
    signature: declaration(source.slice(match.index + (match[1]?.length ?? 0))),
  }));
}

/** The declaration of a function or class without its body; any other declaration whole. */
function declaration(text: string): string {
  if (/^export (async )?function|^export class/.test(text)) {
    const body = /\{\n(?! *\w+\??: [^(){}]*;?\n)/.exec(text)?.index ?? text.length;
    return text.slice(0, body).trim();
  }
  const lines = text.split('\n');
  const end = lines.findIndex((line, index) => /^[}\])]/.test(line) || (index === 0 && line.endsWith(';')));
  return lines.slice(0, end + 1).join('\n');
}

function plain(comment: string): string {
  return comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/^@(\w+)/gm, '- $1:')
    .replace(/^- /m, '\n- ')
    .trim();
}

/** The manual pages that an entry's comment names: 'clone(2)'. */
export function manPages({ doc, signature }: Entry): string[] {
  const call = /syscall\(\s*'(\w+)'/.exec(signature)?.[1];
  const named = [...doc.matchAll(/\b([a-z_][\w.]*)\((\d)\)/g)].map(([page]) => page);
  return [...new Set([...named, ...(call === undefined ? [] : [`${call}(2)`])])];
}

/** The place where the course first uses a name. */
export function exampleOf(name: string): Example | undefined {
  for (const file of globSync('chapters/*/*.ts', { cwd: repository }).sort()) {
    const lines = readFileSync(join(repository, file), 'utf8').split('\n');
    const imports = lines.findLastIndex(line => /^(import .*|\}) from '/.test(line));
    const at = lines.findIndex((line, index) => index > imports && new RegExp(`\\b${name}\\b`).test(line));
    if (at >= 0) return { file, line: at + 1, text: lines.slice(at, at + 3).join('\n') };
  }
  return undefined;
}
