// Starts dist/main.cjs with its compiled code from the last time. That has to be switched on before it is loaded. It
// is kept beside the program and not in /tmp, where anybody could put code for root to run. CommonJS, because Node
// needs 6 ms longer to load a module (measured with 24.21).
const module_ = require('node:module');
if (module_.enableCompileCache) module_.enableCompileCache(`${__dirname}/../dist/.cache`);
require('../dist/main.cjs');
