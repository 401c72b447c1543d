// The attributes that --log-opt adds to each log line for `logs --details`: labels, labels-regex, env,
// env-regex, tag.
// https://docs.docker.com/engine/logging/drivers/json-file/#options

import { compileGoRegexp } from '../../formats/go-regexp.ts';
import { compileTemplate } from '../../formats/go-template/go-template.ts';
import { shortId } from '../../formats/short-id.ts';
import { splitAt } from '../../formats/split.ts';
import type { ContainerRecord } from '../state/record.ts';

/** @throws FormatError when a tag or a regular expression cannot be parsed */
export async function logDetails(record: ContainerRecord): Promise<Record<string, string>> {
  const { config, hostConfig } = record;
  const options = hostConfig.LogConfig?.Config ?? {};
  const variables = (config.Env ?? []).flatMap((each): [string, string][] => {
    const [name, value] = splitAt(each, '=');
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...(await chosen(Object.entries(config.Labels ?? {}), options.labels, options['labels-regex'])),
    ...(await chosen(variables, options.env, options['env-regex'])),
    ...(options.tag ? { tag: compileTemplate(options.tag)(tagData(record)) } : {}),
  };
}

async function chosen(
  entries: [string, string][],
  names: string | undefined,
  pattern: string | undefined,
): Promise<Record<string, string>> {
  const wanted = new Set(names?.split(','));
  const expression = pattern ? await compileGoRegexp(pattern) : undefined;
  return Object.fromEntries(entries.filter(([name]) => wanted.has(name) || expression?.finds(name)));
}

/** https://docs.docker.com/engine/logging/log_tags/ */
const tagData = ({ id, name, imageId, config, path, args }: ContainerRecord) => ({
  ID: id.slice(0, 12),
  FullID: id,
  Name: name,
  ImageID: shortId(imageId),
  ImageFullID: imageId,
  ImageName: config.Image ?? '',
  DaemonName: 'docker',
  Command: [path, ...args].join(' '),
});
