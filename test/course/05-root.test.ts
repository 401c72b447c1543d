import { testChapter } from './chapter.ts';

await testChapter('05-root');
