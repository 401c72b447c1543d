/** 'sha256:6e123e7f3202…' → '6e123e7f3202', as docker prints ids. */
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
