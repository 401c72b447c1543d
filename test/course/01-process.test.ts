import { testChapter } from './chapter.ts';

await testChapter('01-process');
