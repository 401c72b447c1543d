// Starts dist/main.cjs with its compiled code from the last run, which must be switched on before the file
// is loaded. The code is kept beside the program and not in /tmp, where any user could put code for root to
// run. CommonJS, because Node needs 6 ms longer to load a module (measured with 24.21).
const module_ = require('node:module');
if (module_.enableCompileCache) module_.enableCompileCache(`${__dirname}/../dist/.cache`);
require('../dist/main.cjs');
