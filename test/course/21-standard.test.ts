import { testChapter } from './chapter.ts';

await testChapter('21-standard');
