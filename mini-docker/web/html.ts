// HTML that is safe by construction: whatever is inserted into a template is escaped, unless it is HTML itself.

export interface Html {
  readonly html: string;
}

type Inserted = Html | string | number | false | undefined | readonly Inserted[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The only place where text becomes HTML; fit for contents and for quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character]!);
}

/** Takes text as HTML. The caller has escaped all that came from elsewhere. */
export function trusted(html: string): Html {
  return { html };
}

/** A template whose insertions are escaped; arrays are joined, and false and undefined leave nothing. */
export function html(parts: TemplateStringsArray, ...inserted: readonly Inserted[]): Html {
  return { html: parts.map((part, index) => part + inHtml(inserted[index])).join('') };
}

function inHtml(value: Inserted): string {
  if (value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(inHtml).join('');
  return typeof value === 'object' ? (value as Html).html : escaped(String(value));
}
