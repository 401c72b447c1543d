import { churn } from './churn.ts';
import { kills } from './kills.ts';
import { testPart } from './short-runs.ts';

testPart('containers that come and go leave nothing', churn, 40);
testPart('a killed daemon has lost nothing that it answered, and leaves nothing half made', kills, 3);
