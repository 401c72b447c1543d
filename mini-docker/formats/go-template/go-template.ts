// Go's templates, the part that `docker … --format` users write: fields, pipelines, functions, if, with, range,
// variables (https://pkg.go.dev/text/template, https://docs.docker.com/engine/cli/formatting/).

import { FormatError } from '../errors.ts';
import { formatValue, NIL_LIST, NIL_MAP, type Structs } from './format.ts';
import { ARITY, FUNCTIONS, truth } from './functions.ts';
import { type Expression, type Node, type Pipeline, parseTemplate, show } from './parse.ts';

export interface TemplateOptions {
  structs?: Structs;
  /** Fields that may be null or missing, with the value they then have: a nil list, a nil map, or nil. Any other missing field is an error. */
  nil?: Readonly<Record<string, 'list' | 'map' | 'nil'>>;
  /** Fields of structs that JSON omits when they are zero, with their zero value. */
  zero?: Readonly<Record<string, unknown>>;
  /** Of `nil`: a map only in an object that has this field as well. */
  mapBeside?: Readonly<Record<string, string>>;
  /** Other names of fields: { ID: 'Id' }. */
  aliases?: Readonly<Record<string, string>>;
  /** The message for a missing field; by default Go's "map has no entry for key". */
  noField?(name: string): string;
}

/** Renders one value. @throws FormatError when the template cannot be applied to it */
export type Template = (data: unknown) => string;

/**
 * Parses a template once, for many values.
 * @throws FormatError when it is not valid ('template: :1: unclosed action')
 */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const nodes = parseTemplate(source);
  checkFunctions(nodes, source);
  return data => new Execution(source, data, options).run(nodes);
}

class Execution {
  readonly #source: string;
  readonly #options: TemplateOptions;
  readonly #structs: Structs;
  #scopes: Map<string, unknown>[];
  /** Objects whose keys the user chooses: a missing key is not an error there. */
  readonly #maps = new WeakSet<object>([NIL_MAP]);

  constructor(source: string, data: unknown, options: TemplateOptions) {
    this.#source = source;
    this.#options = options;
    this.#structs = options.structs ?? [];
    this.#scopes = [new Map([['$', data]])];
  }

  run(nodes: Node[]): string {
    return this.#nodes(nodes, this.#scopes[0]!.get('$'));
  }

  #nodes(nodes: Node[], dot: unknown): string {
    return nodes.map(node => this.#node(node, dot)).join('');
  }

  #node(node: Node, dot: unknown): string {
    if (node.kind === 'text') return node.text;
    if (node.kind === 'print') {
      const value = this.#pipeline(node.pipeline, dot);
      return node.pipeline.declare.length > 0 ? '' : formatValue(value, this.#structs);
    }
    if (node.kind === 'range') return this.#range(node, dot);
    return this.#scoped(() => {
      const value = this.#pipeline(node.pipeline, dot);
      if (truth(value)) return this.#nodes(node.body, node.kind === 'with' ? value : dot);
      return this.#nodes(node.otherwise, dot);
    });
  }

  #range(node: Extract<Node, { pipeline: Pipeline; body: Node[] }>, dot: unknown): string {
    return this.#scoped(() => {
      const { declare, commands } = node.pipeline;
      const value = this.#pipeline({ ...node.pipeline, declare: [] }, dot);
      const entries = this.#entries(value, commands[0]!);
      if (entries.length === 0) return this.#nodes(node.otherwise, dot);
      const one = ([key, each]: [unknown, unknown]) =>
        this.#scoped(() => {
          const scope = this.#scopes.at(-1)!;
          if (declare.length === 1) scope.set(declare[0]!, each);
          if (declare.length === 2) scope.set(declare[0]!, key).set(declare[1]!, each);
          return this.#nodes(node.body, each);
        });
      return entries.map(one).join('');
    });
  }

  /** Maps are walked in the order of their keys. */
  #entries(value: unknown, where: { at: number; source: string }): [unknown, unknown][] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((each, index) => [index, each]);
    if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index]);
    if (typeof value !== 'object') {
      throw this.#error(where.at, where.source, `range can't iterate over ${formatValue(value)}`);
    }
    const fields = value as Record<string, unknown>;
    return Object.keys(fields)
      .sort()
      .map(key => [key, fields[key]]);
  }

  #scoped(body: () => string): string {
    this.#scopes.push(new Map());
    const text = body();
    this.#scopes.pop();
    return text;
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    for (const [index, command] of pipeline.commands.entries()) {
      value = this.#command(command, dot, index === 0 ? [] : [value]);
    }
    for (const name of pipeline.declare) {
      const known = pipeline.assign ? this.#scopes.findLast(scope => scope.has(name)) : undefined;
      (known ?? this.#scopes.at(-1)!).set(name, value);
    }
    return value;
  }

  #command(command: Pipeline['commands'][number], dot: unknown, piped: unknown[]): unknown {
    const [head, ...rest] = command.parts as [Expression, ...Expression[]];
    if (head.kind === 'function') return this.#call(head, command.source, { rest, dot, piped });
    const value = this.#value(head, dot);
    if (typeof value === 'function') {
      return value(...rest.map(each => this.#value(each, dot)), ...piped);
    }
    if (rest.length > 0 || piped.length > 0) {
      throw this.#error(command.at, show(head), `can't give argument to non-function ${show(head)}`);
    }
    return value;
  }

  #call(
    head: Extract<Expression, { kind: 'function' }>,
    source: string,
    { rest, dot, piped }: { rest: Expression[]; dot: unknown; piped: unknown[] },
  ): unknown {
    const { name, at } = head;
    if (name === 'and' || name === 'or') {
      // The first argument that decides the result is the value; later ones are not evaluated.
      let value: unknown = name === 'and';
      for (const each of [
        ...rest.map(part => () => this.#value(part, dot)),
        ...piped.map(part => () => part),
      ]) {
        value = each();
        if (truth(value) === (name === 'or')) break;
      }
      return value;
    }
    const args = [...rest.map(each => this.#value(each, dot)), ...piped];
    const [least, most] = ARITY[name] ?? [0, Number.POSITIVE_INFINITY];
    if (args.length < least || args.length > most) {
      const wanted = args.length < least && most > least ? `at least ${least}` : `${least}`;
      throw this.#error(at, name, `wrong number of args for ${name}: want ${wanted} got ${args.length}`);
    }
    try {
      return FUNCTIONS[name]!(args, this.#structs);
    } catch (cause) {
      throw this.#error(at, source, `error calling ${name}: ${(cause as Error).message}`);
    }
  }

  #value(expression: Expression, dot: unknown): unknown {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'dot':
        return dot;
      case 'variable':
        return this.#scopes.findLast(scope => scope.has(expression.name))?.get(expression.name);
      case 'pipeline':
        return this.#pipeline(expression.pipeline, dot);
      case 'function':
        return this.#call(expression, expression.name, { rest: [], dot, piped: [] });
      case 'fields': {
        const start = expression.of ? this.#value(expression.of, dot) : dot;
        return expression.path.reduce((value, name) => this.#field(value, name, expression), start);
      }
    }
  }

  #field(value: unknown, name: string, where: { at: number; source: string }): unknown {
    const { nil = {}, zero = {}, mapBeside = {}, aliases = {}, noField } = this.#options;
    const empty = { list: NIL_LIST, map: NIL_MAP, nil: null } as const;
    if (value === null || value === undefined) {
      throw this.#error(where.at, where.source, `nil pointer evaluating interface {}.${name}`);
    }
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw this.#error(where.at, where.source, `can't evaluate field ${name} in ${formatValue(value)}`);
    }
    const fields = value as Record<string, unknown>;
    const key = name in fields || !(name in aliases) ? name : aliases[name]!;
    // `in` and not hasOwn: rows of listings are objects with getters on their prototype.
    const found = key in fields && !(key in Object.prototype) ? fields[key] : undefined;
    if (found !== undefined && found !== null) {
      const isMap = nil[key] === 'map' && (mapBeside[key] ?? key) in fields;
      if (isMap && typeof found === 'object') this.#maps.add(found);
      return found;
    }
    if (this.#maps.has(fields)) return undefined;
    if (Object.hasOwn(nil, key)) return empty[nil[key]!];
    if (Object.hasOwn(zero, key)) return zero[key];
    if (found === null || (key in fields && !(key in Object.prototype))) return undefined;
    throw this.#error(where.at, where.source, noField?.(name) ?? `map has no entry for key "${name}"`);
  }

  #error(at: number, source: string, why: string): FormatError {
    return new FormatError(`template: :${place(this.#source, at)}: executing "" at <${source}>: ${why}`);
  }
}

function place(source: string, at: number): string {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  return `${line}:${at - (before.lastIndexOf('\n') + 1)}`;
}

/** Rejects unknown functions while parsing, even in branches that are never taken. */
function checkFunctions(nodes: Node[], source: string): void {
  const expression = (each: Expression): void => {
    if (each.kind === 'pipeline') pipeline(each.pipeline);
    if (each.kind === 'fields' && each.of) expression(each.of);
    if (each.kind !== 'function' || each.name === 'and' || each.name === 'or') return;
    if (Object.hasOwn(FUNCTIONS, each.name)) return;
    const line = source.slice(0, each.at).split('\n').length;
    throw new FormatError(`template: :${line}: function "${each.name}" not defined`);
  };
  const pipeline = (each: Pipeline) => {
    for (const command of each.commands) command.parts.forEach(expression);
  };
  for (const node of nodes) {
    if (node.kind === 'text') continue;
    pipeline(node.pipeline);
    if (node.kind === 'print') continue;
    checkFunctions(node.body, source);
    checkFunctions(node.otherwise, source);
  }
}
