import { testChapter } from './chapter.ts';

await testChapter('06b-terminal');
