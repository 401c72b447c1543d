// Templates of --format, for what is no list.

import type { TemplateOptions } from '../../formats/go-template/go-template.ts';
import { CommandError } from '../errors.ts';

const wrong = (cause: unknown): CommandError =>
  new CommandError(`template parsing error: ${(cause as Error).message}`, { exitCode: 64, cause });

/** @throws CommandError when it is no template */
export async function compileFormat(format: string, options?: TemplateOptions) {
  const { compileTemplate } = await import('../../formats/go-template/go-template.ts');
  try {
    return compileTemplate(format, options);
  } catch (cause) {
    throw wrong(cause);
  }
}

/** @throws CommandError when it is no template, or not for this data */
export async function formatted(format: string, data: unknown, options?: TemplateOptions): Promise<string> {
  const template = await compileFormat(format, options);
  try {
    return template(data);
  } catch (cause) {
    throw wrong(cause);
  }
}
