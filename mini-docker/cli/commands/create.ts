import { command } from '../command.ts';
import { createBody } from '../run/create-body.ts';
import { createContainer } from '../run/create-container.ts';
import { CREATE_FLAGS } from '../run/create-flags.ts';
import { print } from '../show/output.ts';

export const create = command({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  description: "Prints the container's ID; start it with 'start'.",
  flags: CREATE_FLAGS,
  passThrough: true,
  examples: [
    ['create --name web -p 8080:80 busybox httpd -f', "Create a web server's container"],
    ['start web', 'Start it'],
  ],
  async run({ flags, args, daemon }) {
    const [image, ...rest] = args as [string, ...string[]];
    const body = createBody({ flags, image, command: rest, environment: process.env });
    print(await createContainer(daemon, body, flags));
  },
});
