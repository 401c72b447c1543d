// The request for a build.

import type { BuildMessage } from '../formats/engine-api/build.ts';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import type { RegistryAuth } from '../formats/registry-auth.ts';

export interface BuildRequest {
  /** A tar of the context: plain or compressed. */
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
  /** What was asked for and cannot be had, said at the end. */
  warnings: string[];
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
