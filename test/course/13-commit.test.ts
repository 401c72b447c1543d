import { testChapter } from './chapter.ts';

await testChapter('13-commit');
