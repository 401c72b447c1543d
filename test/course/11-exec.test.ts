import { testChapter } from './chapter.ts';

await testChapter('11-exec');
