// Units with which systemd starts the daemon. systemd.unit(5), systemd.service(5), systemd.socket(5)

export interface UnitOptions {
  /** Absolute path of the command mini-docker. */
  command: string;
  /** Path of the README, for `systemctl status`. */
  documentation: string;
  /** For a user's own systemd, where the daemon is rootless. */
  user: boolean;
  /** Group of the socket; for root's daemon only. */
  group: string;
  /** Path of the socket; for root's daemon only. */
  socket: string;
  /** Variables that say where the daemon has its files. */
  environment?: Record<string, string>;
}

export const SERVICE = 'mini-docker.service';
export const SOCKET = 'mini-docker.socket';

/** The files by name. A rootless daemon makes its socket itself, since it enters namespaces of its own first. */
export function systemdUnits(options: UnitOptions): Record<string, string> {
  return options.user
    ? { [SERVICE]: service(options) }
    : { [SERVICE]: service(options), [SOCKET]: socket(options) };
}

function service({ command, documentation, user, environment = {} }: UnitOptions): string {
  const after = user ? '' : `After=network-online.target nss-lookup.target firewalld.service ${SOCKET}\n`;
  const variables = Object.entries(environment).map(
    ([name, value]) => `Environment="${escaped(`${name}=${value}`)}"\n`,
  );
  return `[Unit]
Description=mini-docker, a container engine${user ? ' (rootless)' : ''}
Documentation=${encodeURI(`file://${documentation}`).replaceAll('%', '%%')}
${after}${user ? '' : `Wants=network-online.target\nRequires=${SOCKET}\n`}# A daemon that cannot start is given up, so that its clients get an error and do not wait for ever.
StartLimitBurst=5
StartLimitIntervalSec=60

[Service]
Type=notify
NotifyAccess=all
${variables.join('')}ExecStart=${quoted(command)} daemon${user ? '' : ' --host fd://'}
ExecReload=/bin/kill -s HUP $MAINPID
Restart=on-failure
RestartSec=2
TimeoutStartSec=infinity
# Containers go on running when the daemon stops, and are not systemd's to limit.
KillMode=process
Delegate=yes
TasksMax=infinity
LimitNOFILE=infinity
${user ? '' : 'OOMScoreAdjust=-500\n'}
[Install]
WantedBy=${user ? 'default.target' : 'multi-user.target'}
`;
}

function socket({ group, socket }: UnitOptions): string {
  return `[Unit]
Description=Socket of mini-docker

[Socket]
ListenStream=${socket.replaceAll('%', '%%')}
SocketMode=0660
SocketUser=root
SocketGroup=${group}
# The daemon lets only root and the group into this directory.
DirectoryMode=0711

[Install]
WantedBy=sockets.target
`;
}

/** A word of a command line: $ begins a variable. */
function quoted(path: string): string {
  const text = path.replaceAll('$', '$$$$');
  return /^[\w/.$+:@-]+$/.test(text) ? text : `"${escaped(text)}"`;
}

/** Between quotation marks: % begins a specifier. */
const escaped = (text: string): string => text.replaceAll('%', '%%').replace(/["\\]/g, each => `\\${each}`);
