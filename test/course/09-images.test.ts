import { testChapter } from './chapter.ts';

await testChapter('09-images');
