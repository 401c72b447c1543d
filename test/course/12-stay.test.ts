import { testChapter } from './chapter.ts';

await testChapter('12-stay');
