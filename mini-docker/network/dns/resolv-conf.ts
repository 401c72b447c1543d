// /etc/resolv.conf (resolv.conf(5)): which servers are asked for names.

export interface ResolvConf {
  nameservers: string[];
  /** Domains that are tried behind names. */
  search: string[];
  /** 'ndots:0', 'timeout:2', … */
  options: string[];
}

/** Reads what glibc and musl read; of several search lines the last one counts. Never fails. */
export function decodeResolvConf(text: string): ResolvConf {
  const found: ResolvConf = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) found.nameservers.push(words[0]);
    if (keyword === 'search' || keyword === 'domain') found.search = words;
    if (keyword === 'options') found.options.push(...words);
  }
  return found;
}
