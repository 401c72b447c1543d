/** The path of an image in the API: slashes in its name are not escaped. */
export const imagePath = (name: string, rest = ''): string =>
  `/images/${encodeURIComponent(name).replaceAll('%2F', '/')}${rest}`;

export const containerPath = (name: string, rest = ''): string =>
  `/containers/${encodeURIComponent(name)}${rest}`;
