// Completion scripts for shells, generated from the tables of commands and flags. The scripts run the command
// itself to list containers, images, networks and volumes.

import type { CommandTable } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface Completed {
  /** The command's full name: 'network rm' */
  name: string;
  summary: string;
  flags: { long: string; short?: string; value: boolean; help: string }[];
  /** A shell command that lists possible arguments. */
  lists: string | undefined;
}

const LISTS: readonly (readonly [RegExp, string])[] = [
  [/\bCONTAINER\b/, "mini-docker ps -a --format '{{.Names}}'"],
  [/\bIMAGE\b|REPOSITORY/, "mini-docker images --format '{{.Repository}}:{{.Tag}}'"],
  [/\bNETWORK\b/, "mini-docker network ls --format '{{.Name}}'"],
  [/\bVOLUME\b/, 'mini-docker volume ls -q'],
];

export async function completionScript(shell: (typeof SHELLS)[number], table: CommandTable): Promise<string> {
  const commands = await Promise.all(table.names.map(name => describe(name, table)));
  return { bash, zsh, fish }[shell](commands, table);
}

async function describe(name: string, table: CommandTable): Promise<Completed> {
  const { load, summary } = table.find(name)!;
  const { usage, flags = {} } = await load();
  return {
    name,
    summary,
    flags: Object.entries(
      flags as Record<string, { short?: string; placeholder?: string; help: string; hidden?: boolean }>,
    )
      .filter(([, flag]) => !flag.hidden)
      .map(([long, { short, placeholder, help }]) => ({
        long,
        ...(short === undefined ? {} : { short }),
        value: placeholder !== undefined,
        help,
      })),
    lists: LISTS.find(([pattern]) => pattern.test(usage))?.[1],
  };
}

/** Shell functions for bash and zsh that list the possible next words. */
function candidates(commands: Completed[], table: CommandTable): string {
  const wordsOf = (group: string | undefined) => table.inGroup(group).map(each => each.name);
  const flagCases = commands.map(
    ({ name, flags }) => `    '${name}') echo '${flags.map(each => `--${each.long}`).join(' ')} --help' ;;`,
  );
  const listCases = commands.flatMap(({ name, lists }) =>
    lists === undefined ? [] : `    '${name}') ${lists} 2>/dev/null ;;`,
  );
  const groups = Object.keys(table.groups);
  return `_mini_docker_flags() {
  case "$1" in
${flagCases.join('\n')}
    *) echo '--host --version --help' ;;
  esac
}

_mini_docker_names() {
  case "$1" in
${listCases.join('\n')}
  esac
}

_mini_docker_commands() {
  case "$1" in
${groups.map(group => `    ${group}) echo '${wordsOf(group).join(' ')}' ;;`).join('\n')}
    *) echo '${[...wordsOf(undefined), ...groups].join(' ')}' ;;
  esac
}

# The command among the words before the one being typed: 'run', 'network rm'.
_mini_docker_command() {
  local word first=
  for word in "$@"; do
    case "$word" in -*) continue ;; esac
    if [ -n "$first" ]; then echo "$first $word"; return; fi
    case " ${groups.join(' ')} " in
      *" $word "*) first=$word ;;
      *) echo "$word"; return ;;
    esac
  done
  echo "$first"
}

_mini_docker_words() {
  local current="$1" command
  shift
  command=$(_mini_docker_command "$@")
  case "$current" in -*) _mini_docker_flags "$command"; return ;; esac
  if [ -z "$command" ]; then _mini_docker_commands ''; return; fi
  case " ${groups.join(' ')} " in
    *" $command "*) _mini_docker_commands "$command"; return ;;
  esac
  _mini_docker_names "$command"
}
`;
}

function bash(commands: Completed[], table: CommandTable): string {
  return `# bash completion for mini-docker
${candidates(commands, table)}
_mini_docker() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  # A name with a colon is several words to bash; only what is behind the colon is completed then.
  COMPREPLY=($(compgen -W "$(_mini_docker_words "$current" "\${before[@]}")" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$current"; fi
}

complete -F _mini_docker mini-docker
`;
}

function zsh(commands: Completed[], table: CommandTable): string {
  return `#compdef mini-docker
${candidates(commands, table)}
_mini_docker() {
  local current="\${words[CURRENT]}"
  local -a found
  found=(\${(f)"$(_mini_docker_words "$current" "\${(@)words[2,CURRENT-1]}" | tr ' ' '\\n')"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}

compdef _mini_docker mini-docker
`;
}

function fish(commands: Completed[], table: CommandTable): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const groups = Object.keys(table.groups);
  const lines = [
    '# fish completion for mini-docker',
    'complete -c mini-docker -f',
    `function __mini_docker_at
  set -l words (commandline -opc)[2..-1]
  set -l words (string match -v -- '-*' $words)
  test "$words[1..(count $argv)]" = "$argv"
end`,
  ];
  const none = '__fish_use_subcommand';
  for (const { name, summary } of table.inGroup(undefined)) {
    lines.push(`complete -c mini-docker -n ${none} -a ${name} -d ${quote(summary)}`);
  }
  for (const group of groups) {
    lines.push(`complete -c mini-docker -n ${none} -a ${group} -d ${quote(table.groups[group]!)}`);
    const members = table.inGroup(group);
    const unless = `not __fish_seen_subcommand_from ${members.map(each => each.name).join(' ')}`;
    for (const { name, summary } of members) {
      lines.push(
        `complete -c mini-docker -n ${quote(`__mini_docker_at ${group}; and ${unless}`)} -a ${name} -d ${quote(summary)}`,
      );
    }
  }
  for (const { name, flags, lists } of commands) {
    const at = quote(`__mini_docker_at ${name}`);
    for (const { long, short, value, help } of flags) {
      const letter = short === undefined ? '' : ` -s ${short}`;
      lines.push(
        `complete -c mini-docker -n ${at} -l ${long}${letter}${value ? ' -r' : ''} -d ${quote(help)}`,
      );
    }
    if (lists !== undefined)
      lines.push(`complete -c mini-docker -n ${at} -a ${quote(`(${lists} 2>/dev/null)`)}`);
  }
  return lines.map(line => `${line}\n`).join('');
}
