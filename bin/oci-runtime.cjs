// Starts dist/oci-runtime.cjs with V8's compiled code from an earlier run of the same command. Node's own cache, which
// main.cjs uses, holds no function that is compiled after a file is loaded: here that is most of a start's work.
const fs = require('node:fs');
const vm = require('node:vm');

const directory = `${__dirname}/../dist`;
const file = `${directory}/oci-runtime.cjs`;
const names = /^(create|start|run|exec|kill|delete|state|list|ps|pause|resume|update|events|spec|features)$/;
const cache = `${directory}/.cache/runtime-${process.argv.slice(2).find(word => names.test(word)) ?? 'help'}`;

/** The directory may belong to another user, or be read-only: then every run compiles. */
function tolerated(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

const cachedData = tolerated(() => fs.readFileSync(cache));
// esbuild writes ASCII.
const script = new vm.Script(fs.readFileSync(file, 'latin1'), { filename: file, cachedData });
if (cachedData === undefined || script.cachedDataRejected) {
  process.on('exit', code => {
    if (code !== 0) return;
    tolerated(() => {
      fs.mkdirSync(`${directory}/.cache`, { recursive: true });
      fs.writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
      fs.renameSync(`${cache}.${process.pid}`, cache);
    });
  });
}
const bundle = { exports: {} };

/** koffi's own JavaScript looks for its native part in many places, 8 ms long; it serves where this one is not. */
const native = `${__dirname}/../node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
const load = name => (name === 'koffi' && tolerated(() => require(native))) || require(name);
script.runInThisContext()(bundle.exports, load, bundle, file, directory);
