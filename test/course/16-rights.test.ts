import { testChapter } from './chapter.ts';

await testChapter('16-rights');
