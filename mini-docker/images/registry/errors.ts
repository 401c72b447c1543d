import { type ErrorDetails, type ErrorKind, ExpectedError, FormatError } from '../../formats/errors.ts';
import { array, object, optional, parseObject, string } from '../../formats/json-fields.ts';

/** What the registry said, where that is the client's to mend; that it cannot be reached is nobody's mistake. */
const KINDS: Record<number, ErrorKind> = { 401: 'unauthorized', 403: 'forbidden', 404: 'notFound' };

export interface RegistryErrorDetails extends ErrorDetails {
  kind?: ErrorKind;
  /** HTTP; undefined when there was no answer. */
  status?: number | undefined;
  /** The distribution specification's: 'MANIFEST_UNKNOWN', 'DENIED', … */
  code?: string | undefined;
  /** Another attempt may do better. */
  transient?: boolean;
  /** Milliseconds that the registry asks us to wait. */
  retryAfter?: number | undefined;
}

/** A registry said no, or could not be reached. `message` is for people. */
export class RegistryError extends ExpectedError {
  override name = 'RegistryError';
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly retryAfter: number | undefined;
  readonly transient: boolean;

  constructor(message: string, details: RegistryErrorDetails = {}) {
    const { status, code, retryAfter, transient = false, kind = KINDS[status ?? 0] ?? 'internal' } = details;
    super(kind, message, details);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.transient = transient;
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
