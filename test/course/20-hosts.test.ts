import { testChapter } from './chapter.ts';

await testChapter('20-hosts');
