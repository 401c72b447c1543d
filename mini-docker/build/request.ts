// What a build is asked for, and what it says while it goes on.
import type { HostConfig } from '../formats/engine-api.ts';
import type { RegistryAuth } from '../formats/registry-auth.ts';

export interface BuildRequest {
  /** A tar of the context: plain, gzip or zstd. */
  context: AsyncIterable<Uint8Array>;
  /** Path of the Dockerfile in the context. */
  dockerfile: string;
  tags: string[];
  /** null: only named, without a value. */
  buildArgs: Record<string, string | null>;
  labels: Record<string, string>;
  target?: string;
  platform?: string;
  noCache: boolean;
  /** Ask for newer base images. */
  pull: boolean;
  /** Say nothing but the image's id. */
  quiet: boolean;
  /** Steps as data and not as text: for our own client. */
  live: boolean;
  /** What containers of RUN get: limits, network, hosts. */
  host: HostConfig;
  /** By id, for RUN --mount=type=secret. */
  secrets: Record<string, Buffer>;
  /** By registry: 'https://index.docker.io/v1/', 'localhost:5000'. */
  auths: Record<string, RegistryAuth>;
  signal: AbortSignal;
  /** What it resolves with is waited for, so that a client that reads slowly holds up the build and not our memory. */
  send(message: BuildMessage): void | Promise<void>;
}

/** A line of the answer to POST /build. */
export type BuildMessage =
  | { stream: string }
  | { aux: { ID: string } }
  /** Of a pull. */
  | { id?: string; status: string; progressDetail?: { current?: number; total?: number } }
  | { step: StepMessage };

/** Ours alone. Steps of stages that are built side by side come as they happen. */
export interface StepMessage {
  /** Counted from 1, in the order of the Dockerfile. */
  number: number;
  total: number;
  state: 'started' | 'output' | 'cached' | 'done' | 'failed';
  /** The instruction, with its stage in front where it has a name. */
  text?: string;
  data?: string;
  stderr?: boolean;
  /** How long it took, in milliseconds. */
  took?: number;
}
