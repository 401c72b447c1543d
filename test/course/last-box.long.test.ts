import { QUICK, testLastBox } from './last-box.ts';

testLastBox(chapter => !QUICK.includes(chapter));
