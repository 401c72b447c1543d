import { testChapter } from './chapter.ts';

await testChapter('07-cgroups');
