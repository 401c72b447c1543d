// Prints untrusted text on a terminal: images, containers and registries choose names, labels and messages,
// and a terminal obeys control sequences in its output.

/** Control characters, and those that turn the direction of writing: they can hide or repaint what stands beside them. */
const ORDERS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line, with such characters written out: '\x1b[2J'. @param keep that stay as they are */
export function visible(text: string, keep = ''): string {
  return text.replace(ORDERS, character => {
    if (keep.includes(character)) return character;
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
