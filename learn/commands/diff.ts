// `learn diff N`: shows what changed in the program since the chapter before.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chapterNamed, chapters } from '../course.ts';
import { page } from '../page.ts';
import { repository } from '../repository.ts';
import { bad, bold, dim, good } from '../screen.ts';

export function diff(name: string): void {
  const chapter = chapterNamed(name);
  const before = chapters().findLast(({ slug }) => slug < chapter.slug);
  const newer = join('chapters', chapter.slug, 'box.ts');
  const older = before === undefined ? '/dev/null' : join('chapters', before.slug, 'box.ts');
  const { stdout, error } = spawnSync('diff', ['-u', older, newer], { cwd: repository, encoding: 'utf8' });
  if (error) throw error;
  const modules = readdirSync(join(repository, 'chapters', chapter.slug)).filter(
    file => file.endsWith('.ts') && file !== 'box.ts' && !file.startsWith('step-'),
  );
  const added = modules.map(file => `new module: chapters/${chapter.slug}/${file}`);
  const same = existsSync(join(repository, newer)) && stdout === '' ? ['box.ts has not changed'] : [];
  page([...added.map(bold), ...same, '', ...stdout.split('\n').map(paint)].join('\n'));
}

function paint(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---')) return dim(line.replace(/\t.*/, ''));
  if (line.startsWith('+')) return good(line);
  if (line.startsWith('-')) return bad(line);
  return line.startsWith('@@') ? dim(line) : line;
}
