// Starts a bundle of dist/, which is oci-runtime.cjs by the link of that name, with V8's compiled code from an earlier run of
// the same command. Node's own cache holds no function that is compiled after a file is loaded: here that is most of a
// start's work. The code is kept beside the program and not in /tmp, where any user could put code for root to run.
const fs = require('node:fs');
const vm = require('node:vm');
const { basename } = require('node:path');

const name = basename(process.argv[1], '.cjs');
// `run` has a bundle of its own: without the other commands it is read 2 ms faster.
const program = name === 'main' && process.argv[2] === 'run' ? 'run' : name;
const directory = `${__dirname}/../dist`;
const file = `${directory}/${program}.cjs`;
const command = process.argv.slice(2).find(word => /^[a-z-]{2,20}$/.test(word) && word[0] !== '-');
const cache = `${directory}/.cache/${program}-${command ?? 'help'}`;

/** The directory may belong to another user, or be read-only: then every run compiles. */
function tolerated(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function save() {
  tolerated(() => {
    // V8 compares only the length: code of a bundle that was replaced meanwhile must not outlive it.
    if (read() !== source) return;
    fs.mkdirSync(`${directory}/.cache`, { recursive: true });
    fs.writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
    fs.renameSync(`${cache}.${process.pid}`, cache);
  });
}

/** For modules of which only functions are imported by name, and that few commands call. */
function atFirstUse(name) {
  let loaded;
  const get = (_, property) => {
    loaded ??= require(name);
    return loaded[property];
  };
  return new Proxy({}, { get });
}

const load = {
  /** koffi's own JavaScript looks for its native part in many places, 8 ms long; it serves where this one is not. */
  koffi() {
    const native = `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
    const addon = { exports: {} };
    // Without require(), which also looks for the package that the file belongs to.
    const isLoaded = tolerated(() => process.dlopen(addon, `${__dirname}/../${native}`) ?? true);
    return isLoaded ? addon.exports : require('koffi');
  },
  'node:stream/promises': () => atFirstUse('node:stream/promises'),
  'node:timers/promises': () => atFirstUse('node:timers/promises'),
  /** It runs for long, and leaves without an 'exit'. */
  './daemon.ts'() {
    if (isNew) save();
    require('node:module').enableCompileCache?.(`${directory}/.cache`);
    return require(`${directory}/daemon.cjs`);
  },
};

const cachedData = tolerated(() => fs.readFileSync(cache));
// esbuild writes ASCII.
const read = () => fs.readFileSync(file).latin1Slice();
const source = read();
const script = new vm.Script(source, { filename: file, cachedData });
const isNew = cachedData === undefined || script.cachedDataRejected;
if (isNew) process.on('exit', code => code === 0 && save());
const bundle = { exports: {} };
const requireOf = name => (load[name] ?? require)(name);
script.runInThisContext()(bundle.exports, requireOf, bundle, file, directory);
