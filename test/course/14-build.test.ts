import { testChapter } from './chapter.ts';

await testChapter('14-build');
