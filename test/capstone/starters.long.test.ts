// The starters in the languages that capstone.test.ts leaves out.
import { languages } from '../../learn/capstone/project.ts';
import { QUICK, testStarters } from './starters.ts';

testStarters(languages().filter(language => !QUICK.includes(language)));
