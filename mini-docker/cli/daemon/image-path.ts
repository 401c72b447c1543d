/** The path of an image in the API: slashes of its name stay as they are. */
export const imagePath = (name: string, rest = ''): string =>
  `/images/${encodeURIComponent(name).replaceAll('%2F', '/')}${rest}`;
