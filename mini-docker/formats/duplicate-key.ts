// JSON.parse() keeps the last of two fields with one name. Where a field is a rule, the first would be ignored silently.

/** @param json a valid document. @returns a name that one of its objects has twice */
export function duplicateKey(json: string): string | undefined {
  /** The names in each object around the current place; undefined stands for a list. */
  const around: (Set<string> | undefined)[] = [];
  let before = '';
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (token === '{') around.push(new Set());
    else if (token === '[') around.push(undefined);
    else if (token === '}' || token === ']') around.pop();
    else if (token !== ',' && (before === '{' || before === ',')) {
      const name: string = JSON.parse(token);
      const names = around.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
    before = token;
  }
  return undefined;
}
