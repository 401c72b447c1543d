import { testChapter } from './chapter.ts';

await testChapter('19-names');
