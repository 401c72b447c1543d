// /etc/resolv.conf (resolv.conf(5)): name servers, search domains, options.

export interface ResolvConf {
  nameservers: string[];
  /** Domains that are appended to names. */
  search: string[];
  /** 'ndots:0', 'timeout:2', … */
  options: string[];
}

/** Accepts what glibc and musl accept; the last of several search lines counts. Never throws. */
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
