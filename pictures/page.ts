// The picture of `view --web`, out of its page: SVG with the page's styles, light or dark as the reader's system is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newsFrom, startServer } from '../test/course/web-process.ts';
import { NODE } from '../test/support/daemon.ts';

/** Columns of the page, pixels of its height that are shown, and looks whose history is in it. */
const [COLUMNS, HEIGHT, LOOKS] = [128, 900, 15];
const root = join(import.meta.dirname, '..');

export async function drawPage(options: {
  alternative: string;
  environment: NodeJS.ProcessEnv;
  /** A word that shows that the picture is complete. */
  until: string;
}): Promise<string> {
  const { alternative, environment, until } = options;
  const { DOCKER_HOST = '' } = environment;
  const page = await startServer([NODE, join(root, 'bin/main.cjs'), 'view', '--web'], { DOCKER_HOST });
  try {
    let looks = 0;
    for await (const { data } of newsFrom(new URL(`events?columns=${COLUMNS}`, page.address))) {
      const picture = data.picture as string;
      looks += 1;
      if (looks >= LOOKS && picture.includes(until)) return standingAlone(picture, alternative);
    }
    throw new Error('the page has ended');
  } finally {
    page.server.kill('SIGINT');
    await page.ended;
  }
}

function standingAlone(picture: string, alternative: string): string {
  const asset = (name: string) => readFileSync(join(root, 'mini-docker/web/assets', name), 'utf8');
  const [variables] = /:root \{.*?\}/s.exec(asset('base.css'))!;
  const styles = asset('picture.css').replaceAll('.picture ', '');
  const texts = [...picture.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text]) => text!.trim()).join('\n');
  return (
    picture
      // As an image it has one description, and nothing to choose.
      .replace(/ (?:role|data-[a-z]+|aria-[a-z]+|href)="[^"]*"/g, '')
      .replace(/<(\/?)a\b/g, '<$1g')
      .replace(/viewBox="0 0 ([\d.]+) [\d.]+"/, `viewBox="0 0 $1 ${HEIGHT}" width="$1"`)
      .replace(/^<svg/, '<svg role="img" aria-labelledby="t d"')
      .replace(
        '>\n',
        `>\n<title id="t">${alternative}</title>\n<desc id="d">${texts}</desc>\n<style>${variables}\n${styles}</style>\n`,
      )
      .concat('\n')
  );
}
