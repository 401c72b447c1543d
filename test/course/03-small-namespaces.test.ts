import { testChapter } from './chapter.ts';

await testChapter('03-small-namespaces');
