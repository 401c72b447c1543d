// Optional fields of JSON data: they are left out, and never undefined.

/** The same data, with undefined allowed in the fields that may be left out. */
export type Loose<T> = { [K in keyof T]: object extends Pick<T, K> ? Loose<T[K]> | undefined : Loose<T[K]> };

/** The data without the fields that are undefined. */
export const defined = <T>(data: Loose<NoInfer<T>>): T => cleaned(data) as T;

function cleaned(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map(cleaned);
  const fields = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields.map(([name, value]) => [name, cleaned(value)]));
}

/** undefined for an empty list or object. */
export const unlessEmpty = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value;
