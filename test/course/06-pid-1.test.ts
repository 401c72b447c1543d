import { testChapter } from './chapter.ts';

await testChapter('06-pid-1');
