import { type ErrorDetails, type ErrorKind, ExpectedError, FormatError } from '../../formats/errors.ts';
import { array, object, parse, string } from '../../formats/schema.ts';

/**
 * Error kinds of the statuses that the client can do something about; an unreachable registry is not among
 * them.
 */
const KINDS: Record<number, ErrorKind> = { 401: 'unauthorized', 403: 'forbidden', 404: 'notFound' };

export interface RegistryErrorDetails extends ErrorDetails {
  kind?: ErrorKind;
  /** HTTP status; undefined when there was no answer. */
  status?: number | undefined;
  /** Error code of the distribution specification: 'MANIFEST_UNKNOWN', 'DENIED', … */
  code?: string | undefined;
  /** Whether another attempt may succeed. */
  transient?: boolean;
  /** Milliseconds that the registry asks clients to wait. */
  retryAfter?: number | undefined;
}

/** A registry refused, or could not be reached. `message` is for people. */
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

const detail = { code: string, message: string, details: string };
const refusal = object({ ...detail, errors: array(object(detail)) });

/** Decodes the body of a refusal (distribution specification, "Error Codes"). */
export function refusalOf(body: string): { code?: string; message?: string } {
  try {
    const said = parse(body, 'error', refusal);
    const { code, message, details } = said.errors?.[0] ?? said;
    const text = message ?? details;
    return { ...(code ? { code } : {}), ...(text ? { message: printable(text) } : {}) };
  } catch (error) {
    if (error instanceof FormatError) return {};
    throw error;
  }
}

/** Removes control characters, since the text is shown on a terminal. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/\p{Cc}+/gu, ' ');
}
