import { testChapter } from './chapter.ts';

await testChapter('08-layers', { transcripts: true });
