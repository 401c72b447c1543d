import { testChapter } from './chapter.ts';

await testChapter('18-daemon');
