import { testChapter } from './chapter.ts';

await testChapter('17-registry');
