// What NN-slug.test.ts leaves out of each chapter: the transcripts, and the mutants but one.
import { describe } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { testWholeChapter } from './chapter.ts';

for (const { slug } of chapters()) describe(slug, async () => testWholeChapter(slug));
