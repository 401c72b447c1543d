import { type CommandTable, command } from '../command.ts';
import { completionScript, SHELLS } from '../completion-scripts.ts';
import { CommandError } from '../errors.ts';
import { write } from '../show/output.ts';

export const completion = (table: CommandTable) =>
  command({
    usage: 'bash|zsh|fish',
    examples: [
      ['completion bash > /etc/bash_completion.d/mini-docker', 'Install completion for all bash users'],
      [
        'completion fish > ~/.config/fish/completions/mini-docker.fish',
        'Install completion for your fish shell',
      ],
    ],
    async run({ args }) {
      const shell = SHELLS.find(each => each === args[0]);
      if (!shell)
        throw new CommandError(
          `no completion for ${JSON.stringify(args[0])}: there are ${SHELLS.join(', ')}`,
        );
      write(await completionScript(shell, table));
    },
  });
