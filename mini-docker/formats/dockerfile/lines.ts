// Splits the text of a Dockerfile into statements: directives, comments, continued lines, here-documents
// (https://docs.docker.com/reference/dockerfile/).
import { DockerfileError } from './error.ts';
import { splitWords } from './words.ts';

export interface Directives {
  /** Escape character, which also continues lines: '\' or '`'. */
  escape: string;
  /** Name of the frontend, which is ignored: this engine has only one. */
  syntax?: string;
  /** Settings of the linter: 'skip=…;error=true'. */
  check?: string;
}

export interface HereDocument {
  /** The word that ends the here-document. */
  name: string;
  content: string;
  /** Whether variables are expanded: true when the word had no quotes. */
  expands: boolean;
}

export interface Statement {
  /** Number of the first line, counted from 1. */
  line: number;
  /** Keyword in capital letters. */
  keyword: string;
  /** Text after the keyword, with lines joined and without blanks at both ends. */
  rest: string;
  /** The whole statement on one line. */
  text: string;
  /** The unchanged first line, for errors. */
  firstLine: string;
  documents: HereDocument[];
  /** Whether an empty line stands among its continued lines, which Docker warns about. */
  hasEmptyLine?: true;
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN_DIRECTIVES = new Set(['escape', 'syntax', 'check']);
/** Instructions that take here-documents, even after ONBUILD. */
const WITH_DOCUMENTS = /^(?:ONBUILD\s+)*(?:RUN|COPY|ADD)\b/i;

/** @param file the name of the file, for errors. @throws DockerfileError when the text cannot be split */
export function splitStatements(
  text: string,
  file: string,
): { directives: Directives; statements: Statement[] } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const problem = (why: string, index: number) =>
    new DockerfileError(why, { file, line: index + 1, text: lines[index] ?? '' });
  const { directives, next } = readDirectives(lines, problem);
  const sign = directives.escape;
  const continued = continuationMark(sign);
  const statements: Statement[] = [];
  for (let start = next; start < lines.length; ) {
    if (isSkipped(lines[start]!)) {
      start += 1;
      continue;
    }
    const { text: whole, hasEmptyLine, next: behind } = joinLines(lines, start, continued);
    const marks = WITH_DOCUMENTS.test(whole) ? documentMarks(whole, sign) : [];
    const { documents, next: end } = readDocuments(lines, behind, marks, name =>
      problem(`the here-document ${name} has no end: a line with ${name} alone`, start),
    );
    const [keyword = ''] = whole.split(/\s/, 1);
    statements.push({
      line: start + 1,
      keyword: keyword.toUpperCase(),
      rest: whole.slice(keyword.length).trim(),
      text: whole,
      firstLine: lines[start]!,
      documents,
      ...(hasEmptyLine && { hasEmptyLine }),
    });
    start = end;
  }
  return { directives, statements };
}

/** The escape and blanks at a line's end. An escape that is escaped itself continues nothing. */
function continuationMark(sign: string): RegExp {
  const source = sign === '\\' ? '\\\\' : sign;
  return new RegExp(`(?:^|[^${source}])(${source}[ \\t]*)$`);
}

/** A statement's lines as one, from `start` on; `next` is the line behind it. */
function joinLines(
  lines: readonly string[],
  start: number,
  continued: RegExp,
): { text: string; hasEmptyLine: boolean; next: number } {
  let joined = '';
  let hasEmptyLine = false;
  for (let index = start; index < lines.length; index++) {
    const line = index === start ? lines[index]!.trimStart() : lines[index]!;
    if (index > start && isSkipped(line)) {
      // Comments and empty lines within do not end it. Behind the last line break stands no line.
      hasEmptyLine ||= line.trim() === '' && index < lines.length - 1;
      continue;
    }
    const mark = continued.exec(line)?.[1];
    if (mark === undefined) return { text: (joined + line).trim(), hasEmptyLine, next: index + 1 };
    joined += line.slice(0, -mark.length);
  }
  return { text: joined.trim(), hasEmptyLine, next: lines.length };
}

/** The here-documents that follow a statement, in the order of their marks. */
function readDocuments(
  lines: readonly string[],
  start: number,
  marks: readonly DocumentMark[],
  unended: (name: string) => DockerfileError,
): { documents: HereDocument[]; next: number } {
  const documents: HereDocument[] = [];
  let next = start;
  for (const { name, isApart, trimsTabs, expands } of marks) {
    // '<<' with a blank behind it may be arithmetic of the shell.
    if (isApart && !lines.slice(next).some(line => line.trimStart() === name)) continue;
    const content: string[] = [];
    for (; ; next++) {
      if (next >= lines.length) throw unended(name);
      const line = trimsTabs ? lines[next]!.replace(/^\t+/, '') : lines[next]!;
      if (line === name) break;
      content.push(`${line}\n`);
    }
    next += 1;
    documents.push({ name, content: content.join(''), expands });
  }
  return { documents, next };
}

const isSkipped = (line: string): boolean => /^\s*(?:#|$)/.test(line);

/** Reads the directives, which stand above everything else, even comments and empty lines. */
function readDirectives(
  lines: readonly string[],
  problem: (why: string, index: number) => DockerfileError,
): { directives: Directives; next: number } {
  const directives: Directives = { escape: '\\' };
  const seen = new Set<string>();
  for (let index = 0; ; index++) {
    const [, name = '', value = ''] = DIRECTIVE.exec(lines[index] ?? '') ?? [];
    const key = name.toLowerCase();
    if (!KNOWN_DIRECTIVES.has(key)) return { directives, next: index };
    if (seen.has(key)) throw problem(`the directive ${key} is given twice`, index);
    seen.add(key);
    if (key === 'escape' && value !== '\\' && value !== '`') {
      throw problem(`the escape character must be \\ or \`, not ${JSON.stringify(value)}`, index);
    }
    directives[key as 'escape'] = value;
  }
}

interface DocumentMark {
  name: string;
  expands: boolean;
  trimsTabs: boolean;
  /** Whether a blank stands between '<<' and the name. */
  isApart: boolean;
}

/** '<<EOF', '<<-EOF', '<< EOF', '<<\\EOF', "3<<'EOF'": the words that say that a here-document follows. '<<<' is none. */
function documentMarks(text: string, sign: string): DocumentMark[] {
  const words = splitWords(text, sign);
  return words.flatMap((word, index) => {
    const isApart = /^\d*<<-?$/.test(word);
    const match = DOCUMENT_MARK.exec(isApart ? word + (words[index + 1] ?? '') : word);
    if (match === null) return [];
    const [, dash, single, double, escaped, bare] = match;
    const name = single ?? double ?? escaped ?? bare!;
    return [{ name, expands: bare !== undefined, trimsTabs: dash === '-', isApart }];
  });
}

const DOCUMENT_MARK = /^\d*<<(-?)(?:'([^']+)'|"([^"]+)"|\\([^<>|&;()'"\s]+)|([^<>|&;()'"\s\\]+))/;
