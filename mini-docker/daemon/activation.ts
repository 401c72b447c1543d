// Sockets that systemd opened before it started the daemon. sd_listen_fds(3)

const FIRST = 3;

/**
 * Replaces fd:// by the inherited sockets: fd://3, fd://4, …
 * @throws Error with one line when there are none
 */
export function withActivated(hosts: readonly string[], env: Record<string, string | undefined>): string[] {
  const { LISTEN_PID, LISTEN_FDS } = env;
  const count =
    LISTEN_PID === String(process.pid) && /^\d{1,3}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  // Meant for this process alone.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  return hosts.flatMap(host => {
    if (host !== 'fd://') return [host];
    if (count === 0) {
      throw new Error(
        'no sockets were found for fd://: it is for a daemon that systemd starts (mini-docker system install)',
      );
    }
    return Array.from({ length: count }, (_, index) => `fd://${FIRST + index}`);
  });
}
