// The labels that mark a project's objects. Docker Compose and other clients read and write the same labels.

const PREFIX = 'com.docker.compose';

export const LABEL = {
  project: `${PREFIX}.project`,
  service: `${PREFIX}.service`,
  number: `${PREFIX}.container-number`,
  /** Label that is 'True' on containers of `run`. */
  oneOff: `${PREFIX}.oneoff`,
  hash: `${PREFIX}.config-hash`,
  image: `${PREFIX}.image`,
  directory: `${PREFIX}.project.working_dir`,
  files: `${PREFIX}.project.config_files`,
  dependencies: `${PREFIX}.depends_on`,
  /** Key of the network or volume in the file, whatever its name in the engine. */
  network: `${PREFIX}.network`,
  volume: `${PREFIX}.volume`,
} as const;
