// How Go's fmt prints values (https://pkg.go.dev/fmt), for templates: plain printing and the verbs of printf.

/** A list and a map that are nil in Go, which prints them as empty and encodes them in JSON as null. */
export const NIL_LIST: readonly unknown[] = Object.freeze([]);
export const NIL_MAP: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * Go's structs, each as a list of its fields. Where fmt prints a map as 'map[k:v]', it prints a struct's values
 * in the order of its fields: '{a 1}'. An object counts as a struct if it has the first field and no key that
 * is not a field. A list among the fields is an embedded struct: JSON has its fields beside the others, and fmt
 * prints it as one value.
 */
type Struct = readonly (readonly [field: string, zero: unknown] | Struct)[];
export type Structs = readonly Struct[];

const isField = (each: Struct[number]): each is readonly [string, unknown] => typeof each[0] === 'string';

const namesOf = (struct: Struct): string[] =>
  struct.flatMap(each => (isField(each) ? [each[0]] : namesOf(each)));

function isOf(struct: Struct, keys: readonly string[]): boolean {
  const names = namesOf(struct);
  return keys.includes(names[0]!) && keys.every(key => names.includes(key));
}

function formatStruct(struct: Struct, fields: Record<string, unknown>, structs: Structs): string {
  const values = struct.map(each =>
    isField(each) ? formatValue(fields[each[0]] ?? each[1], structs) : formatStruct(each, fields, structs),
  );
  return `{${values.join(' ')}}`;
}

export function formatValue(value: unknown, structs: Structs = []): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(each => formatValue(each, structs)).join(' ')}]`;
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object') return String(value);
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields);
  const struct = structs.find(each => isOf(each, keys));
  if (struct) return formatStruct(struct, fields, structs);
  // A map whose values are empty objects is a set: in Go its values are structs without fields.
  const element = (each: unknown) => (isEmpty(each) ? '{}' : formatValue(each, structs));
  return `map[${keys
    .sort()
    .map(key => `${key}:${element(fields[key])}`)
    .join(' ')}]`;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/** Numbers from 1e21 on are printed with an exponent, as by %v; JSON's integers are printed in full. */
function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** JSON as Go's encoder writes it without HTML escaping: JSON.stringify, with null for nil lists and maps. */
export function formatJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) =>
      each === NIL_LIST || each === NIL_MAP ? null : typeof each === 'function' ? undefined : each,
    ) ?? 'null'
  );
}

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g;

/** fmt.Sprintf with the verbs v s q d i f g e x X o b c t and %%, widths, precisions, and the flags - 0 +. */
export function sprintf(format: string, args: unknown[], structs: Structs = []): string {
  let next = 0;
  const text = format.replace(VERB, (_, flags: string, width: string | undefined, digits, verb: string) => {
    if (verb === '%') return '%';
    if (width === '*') width = String(args[next++]);
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const value = args[next++];
    let out = convert(verb, value, flags, digits === undefined ? undefined : Number(digits), structs);
    const size = Number(width ?? 0);
    if (flags.includes('-')) out = out.padEnd(size);
    else if (flags.includes('0') && typeof value === 'number') {
      const sign = /^[-+]/.exec(out)?.[0] ?? '';
      out = sign + out.slice(sign.length).padStart(size - sign.length, '0');
    } else out = out.padStart(size);
    return out;
  });
  if (next >= args.length) return text;
  const extra = args.slice(next).map(each => `${goType(each)}=${formatValue(each, structs)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function convert(
  verb: string,
  value: unknown,
  flags: string,
  digits: number | undefined,
  structs: Structs,
): string {
  const plain = formatValue(value, structs);
  const number = typeof value === 'number' ? value : undefined;
  const wrong = () => `%!${verb}(${goType(value)}=${plain})`;
  const signed = (text: string) => (flags.includes('+') && number! >= 0 ? `+${text}` : text);
  switch (verb) {
    case 'v':
      return plain;
    case 's':
      if (typeof value === 'number' || typeof value === 'boolean') return wrong();
      return digits === undefined ? plain : [...plain].slice(0, digits).join('');
    case 'q':
      if (Array.isArray(value)) return `[${value.map(each => JSON.stringify(String(each))).join(' ')}]`;
      return typeof value === 'string' ? JSON.stringify(value) : wrong();
    case 't':
      return typeof value === 'boolean' ? plain : wrong();
    case 'd':
      return number === undefined || !Number.isInteger(number) ? wrong() : signed(plain);
    case 'f':
      return number === undefined ? wrong() : signed(number.toFixed(digits ?? 6));
    case 'g':
      return number === undefined ? wrong() : signed(plain);
    case 'e':
      return number === undefined
        ? wrong()
        : signed(number.toExponential(digits ?? 6).replace(/e([+-])(\d)$/, 'e$10$2'));
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : number === undefined
            ? wrong()
            : number.toString(16);
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
      return number === undefined ? wrong() : number.toString(8);
    case 'b':
      return number === undefined ? wrong() : number.toString(2);
    case 'c':
      return number === undefined ? wrong() : String.fromCodePoint(number);
    default:
      return wrong();
  }
}

export function goType(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (Array.isArray(value)) return '[]interface {}';
  return value === null || value === undefined ? '<nil>' : 'map[string]interface {}';
}
