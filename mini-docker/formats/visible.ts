// Prints untrusted text on a terminal: images, containers and registries choose names, labels and messages,
// and a terminal obeys control sequences in its output.

/** Control characters, and those that change the direction of writing: they can hide or alter the text beside them. */
const ORDERS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line, in which such characters are escaped: '\x1b[2J'. @param keep characters that are not escaped */
export function visible(text: string, keep = ''): string {
  return text.replace(ORDERS, character => {
    if (keep.includes(character)) return character;
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
