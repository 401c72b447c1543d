// Flags before the command: `mini-docker --host … ps`.

import { TLS_FLAGS } from './daemon/tls-files.ts';
import { text, toggle } from './flags/flags.ts';

export const PROGRAM_FLAGS = {
  host: text('string', 'The daemon to talk to: unix:///PATH or tcp://HOST:PORT', 'H'),
  ...TLS_FLAGS,
  version: toggle('Print version information and quit', 'v'),
};
