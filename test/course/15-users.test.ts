import { testChapter } from './chapter.ts';

await testChapter('15-users');
