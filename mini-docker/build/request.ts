// A request for a build.

import type { BuildMessage } from '../formats/engine-api/build.ts';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import type { RegistryAuth } from '../formats/registry-auth.ts';

export interface BuildRequest {
  /** The context, as a plain or compressed tar archive. */
  context: AsyncIterable<Uint8Array>;
  /** Path of the Dockerfile in the context. */
  dockerfile: string;
  tags: string[];
  /** Values by name; null for a name given without a value. */
  buildArgs: Record<string, string | null>;
  labels: Record<string, string>;
  /**
   * Further contexts by name: 'docker-image://alpine', or the directory in the archive that is one. Sent by
   * mini-docker's command only: Docker's client has them only with BuildKit.
   */
  contexts: Record<string, string>;
  target?: string;
  platform?: string;
  noCache: boolean;
  /** Whether to ask registries for newer base images. */
  pull: boolean;
  /** Names of images from which steps may be taken. */
  cacheFrom: string[];
  /** Whether the containers of the steps are kept. */
  keepContainers: boolean;
  /** Whether to report only the image's id. */
  quiet: boolean;
  /** Whether to send steps as data rather than as text, for mini-docker's own client. */
  live: boolean;
  /** Settings of RUN's containers: limits, network, hosts. */
  host: HostConfig;
  /** Secrets by id, for RUN --mount=type=secret. */
  secrets: Record<string, Buffer>;
  /** Credentials by registry: 'https://index.docker.io/v1/', 'localhost:5000'. */
  auths: Record<string, RegistryAuth>;
  signal: AbortSignal;
  /**
   * Sends a message. The build waits for its promise, so a slow client delays the build and does not fill
   * memory.
   */
  send(message: BuildMessage): void | Promise<void>;
}
