import { array, FormatError, object, optional, parseObject, string } from '../../formats/json-fields.ts';

/** A registry said no, or could not be reached. `message` is for people. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  /** HTTP; undefined when there was no answer. */
  readonly status: number | undefined;
  /** The distribution specification's: 'MANIFEST_UNKNOWN', 'DENIED', … */
  readonly code: string | undefined;

  /** Milliseconds that the registry asks us to wait. */
  readonly retryAfter: number | undefined;
  /** Another attempt may do better. */
  readonly transient: boolean;

  constructor(
    message: string,
    options: {
      status?: number;
      code?: string;
      transient?: boolean;
      retryAfter?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.code = options.code;
    this.retryAfter = options.retryAfter;
    this.transient = options.transient ?? false;
  }
}

/** What the body of a refusal says (distribution specification, "Error Codes"). */
export function refusalOf(body: string): { code?: string; message?: string } {
  try {
    const fields = parseObject(body, 'error');
    const [first] = optional(fields, 'errors', 'error', (value, where) => array(value, where, object)) ?? [];
    const source = first ?? fields;
    const code = optional(source, 'code', 'error', string);
    const message =
      optional(source, 'message', 'error', string) ?? optional(source, 'details', 'error', string);
    return { ...(code ? { code } : {}), ...(message ? { message: printable(message) } : {}) };
  } catch (error) {
    if (error instanceof FormatError) return {};
    throw error;
  }
}

/** It is shown in a terminal, which a registry must not give orders to. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/\p{Cc}+/gu, ' ');
}
