import { testChapter } from './chapter.ts';

await testChapter('00-machine');
