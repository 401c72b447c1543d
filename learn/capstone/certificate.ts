// The certificate: on the terminal, in Markdown, and as a picture.
import { visible } from '../../mini-docker/formats/visible.ts';
import type { Built } from './finish.ts';

export interface Certificate {
  name: string;
  built: Built;
}

const MOST_NAME = 60;

/** A name as it can be printed anywhere: one line, without control characters. */
export function printableName(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ').trim()).slice(0, MOST_NAME);
}

function sentences({ built }: Certificate): string[] {
  const { stages, of, lines, files, calls, from, to, checks } = built;
  return [
    'has written a container engine from an empty folder,',
    `which passed ${stages.length} of ${of} stages, seen from outside by the kernel.`,
    `${count(lines, 'line')} in ${count(files, 'file')}; ${count(calls.length, 'system call')} by name; ${count(checks, 'check')}.`,
    from === to ? `On ${to}.` : `From ${from} to ${to}.`,
  ];
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function certificateText(certificate: Certificate): string {
  const lines = ['', 'MY OWN DOCKER', '', certificate.name, '', ...sentences(certificate), ''];
  const width = Math.max(...lines.map(line => [...line].length)) + 4;
  const centred = lines.map(line => {
    const room = width - [...line].length;
    return `│${' '.repeat(Math.floor(room / 2))}${line}${' '.repeat(Math.ceil(room / 2))}│`;
  });
  return [`┌${'─'.repeat(width)}┐`, ...centred, `└${'─'.repeat(width)}┘`].join('\n');
}

export function certificateMarkdown(certificate: Certificate): string {
  const { name, built } = certificate;
  const title = name.replace(/[\\`*_{}[\]<>()#+!|~-]/g, '\\$&');
  return [
    '# My own Docker',
    `**${title}** ${sentences(certificate).join(' ')}`,
    '## Stages',
    built.stages.map(stage => `${stage.number}. ${stage.title}`).join('\n'),
    '## System calls',
    built.calls.length === 0 ? 'None by name.' : built.calls.map(call => `\`${call}\``).join(', '),
    '',
  ].join('\n\n');
}

export function certificateSvg(certificate: Certificate): string {
  const text = (y: number, size: number, content: string, more = ''): string =>
    `  <text x="400" y="${y}" font-size="${size}" text-anchor="middle"${more}>${xml(content)}</text>`;
  const size = certificate.name.length > 30 ? 26 : 40;
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="500" viewBox="0 0 800 500" font-family="serif" fill="#123">',
    '  <rect x="10" y="10" width="780" height="480" fill="#fdfcf7" stroke="#1c6dd0" stroke-width="4"/>',
    '  <rect x="22" y="22" width="756" height="456" fill="none" stroke="#1c6dd0"/>',
    text(110, 34, 'My own Docker', ' letter-spacing="4"'),
    text(210, size, certificate.name, ' font-style="italic"'),
    ...sentences(certificate).map((line, at) => text(280 + 36 * at, 20, line)),
    text(450, 14, certificate.built.calls.slice(0, 12).join(' · '), ' font-family="monospace"'),
    '</svg>',
    '',
  ].join('\n');
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
