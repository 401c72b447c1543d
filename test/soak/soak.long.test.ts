import { logs } from './logs.ts';
import { many } from './many.ts';
import { testPart } from './short-runs.ts';

testPart('40 containers at once start alike, and leave nothing', many, 40);
testPart('10,000 lines a second arrive whole and in order', logs, 2);
