// Starts dist/oci-runtime.cjs with its compiled code from the last run, as main.cjs does for the command.
const module_ = require('node:module');
if (module_.enableCompileCache) module_.enableCompileCache(`${__dirname}/../dist/.cache`);
require('../dist/oci-runtime.cjs');
