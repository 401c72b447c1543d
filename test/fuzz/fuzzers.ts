import { fuzzApi } from './api.ts';
import { fuzzArchives } from './archives.ts';
import { fuzzDns } from './dns.ts';
import { fuzzDockerfiles } from './dockerfiles.ts';
import type { Fuzzer } from './fuzzer.ts';
import { fuzzRegistry } from './registry.ts';
import { fuzzState } from './state.ts';

export const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  api: fuzzApi,
  archives: fuzzArchives,
  dns: fuzzDns,
  dockerfiles: fuzzDockerfiles,
  registry: fuzzRegistry,
  state: fuzzState,
};
