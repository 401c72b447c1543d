// Tables that are asked by names from outside: '__proto__' and 'constructor' are in every object, and in no table.

export const lookup = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
