import { testChapter } from './chapter.ts';

await testChapter('04-mounts');
