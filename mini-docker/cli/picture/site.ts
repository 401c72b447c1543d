// The site of `view --web`: one page with the picture, and the actions that it has buttons for.
import { visible } from '../../formats/visible.ts';
import { asset } from '../../web/assets.ts';
import { html } from '../../web/html.ts';
import type { Site } from '../../web/server.ts';
import { runProgram } from '../view/program.ts';
import type { Action } from '../view/state.ts';
import { picturePart } from './page.ts';

export function pictureSite(options: {
  /** The command that prints the address: 'mini-docker view --web'. */
  command: string;
  stream: Site['streams'][string];
  actions: readonly Action[];
  /** The program and arguments of actions. */
  program: readonly string[];
}): Site {
  const { command, stream, actions, program } = options;
  const files: Readonly<Record<string, () => string>> = {
    'index.html': () => page(actions),
    'style.css': () => asset('base.css') + asset('picture.css'),
    'picture.js': () => asset('picture.js'),
  };
  return {
    command,
    page: path => (Object.hasOwn(files, path) ? files[path]!() : undefined),
    actions: 'do/',
    async act(path) {
      const [word, id = '', ...rest] = path.split('/');
      const action = actions.find(each => each.word === word);
      if (action === undefined || !/^[0-9a-f]{64}$/.test(id) || rest.length > 0) return undefined;
      const { code, output } = await runProgram([...program, ...action.command, id], 'pipe');
      return { status: code === 0 ? 200 : 409, text: visible(output.trimEnd(), '\n\t') };
    },
    streams: { events: stream },
  };
}

function page(actions: readonly Action[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Containers – mini-docker view</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script type="module" src="picture.js"></script>
</head>
<body>
<main id="main">
<h1>What the kernel has</h1>
${picturePart('events', actions)}
</main>
</body>
</html>
`.html;
}
