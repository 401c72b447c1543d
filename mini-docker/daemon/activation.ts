// Sockets that systemd opened before it started the daemon. sd_listen_fds(3)

const FIRST = 3;

/**
 * Replaces fd:// (or fd://*) by the inherited sockets: fd://3, fd://4, …
 * @throws Error with one line when there are none, or not the one that is meant
 */
export function withActivated(hosts: readonly string[], env: Record<string, string | undefined>): string[] {
  const { LISTEN_PID, LISTEN_FDS } = env;
  const count =
    LISTEN_PID === String(process.pid) && /^\d{1,3}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  // Meant for this process alone.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const inherited = Array.from({ length: count }, (_, index) => `fd://${FIRST + index}`);
  return hosts.flatMap(host => {
    if (!host.startsWith('fd:')) return [host];
    if (!/^fd:\/\/(\*|\d*)$/.test(host)) {
      throw new Error(
        `cannot listen on ${host}: it must be fd:// for all sockets that systemd opened, or fd://${FIRST} for the first`,
      );
    }
    if (count === 0) {
      throw new Error(
        `no sockets were found for ${host}: it is for a daemon that systemd starts (mini-docker system install)`,
      );
    }
    if (!/\d$/.test(host)) return inherited;
    if (inherited.includes(host)) return [host];
    throw new Error(`cannot listen on ${host}: systemd opened ${inherited.join(', ')}`);
  });
}
