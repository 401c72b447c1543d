/** Splits at the first separator: 'A=b=c' → ['A', 'b=c']. Without one, the second part is undefined. */
export function splitAt(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
