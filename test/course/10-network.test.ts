import { testChapter } from './chapter.ts';

await testChapter('10-network');
