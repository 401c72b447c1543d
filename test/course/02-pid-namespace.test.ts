import { testChapter } from './chapter.ts';

await testChapter('02-pid-namespace', { transcripts: true });
