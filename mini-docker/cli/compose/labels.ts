// The labels by which Docker Compose knows what belongs to a project; other clients read and write the same ones.

const PREFIX = 'com.docker.compose';

export const LABEL = {
  project: `${PREFIX}.project`,
  service: `${PREFIX}.service`,
  number: `${PREFIX}.container-number`,
  /** 'True' for a container of `run`. */
  oneOff: `${PREFIX}.oneoff`,
  hash: `${PREFIX}.config-hash`,
  image: `${PREFIX}.image`,
  directory: `${PREFIX}.project.working_dir`,
  files: `${PREFIX}.project.config_files`,
  dependencies: `${PREFIX}.depends_on`,
  /** Keys in the file, whatever the names that the engine knows them by. */
  network: `${PREFIX}.network`,
  volume: `${PREFIX}.volume`,
} as const;
