// The box of the last chapter can do what the boxes before it could: no chapter may lose a capability on the way.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capture } from '../../learn/sandbox/capture.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';

/** Chapters whose capabilities are tried in the short suite as well. */
export const QUICK = ['18', '21'];

const LAST = 'chapters/21-standard/box.ts';
const HEAD = `box() { node ${LAST} "$@"; }
run() { box run "$@"; }
daemon() { [ -S /tmp/box/docker.sock ] || { (box daemon >/tmp/daemon.log 2>&1 &); until [ -S /tmp/box/docker.sock ]; do sleep 0.1; done; }; }
api() { curl -sS --unix-socket /tmp/box/docker.sock -H 'Content-Type: application/json' "$@"; }
`;

/** What a chapter's box could do, and what it shows when the last one does it. */
export const CAPABILITIES: [chapter: string, what: string, script: string, shows: RegExp][] = [
  ['01', 'a command with its exit code', 'run busybox sh -c "exit 42"; echo $?', /^42$/],
  ['01', 'a command that a signal ends', "run --init busybox sh -c 'kill -9 $$'; echo $?", /^137$/],
  ['02', 'process 1', "run busybox sh -c 'echo $$'", /^1$/],
  ['03', 'a hostname', 'run --hostname mine busybox hostname', /^mine$/],
  [
    '04',
    'a volume, read-only too',
    'echo hi >/tmp/f; run --volume /tmp:/mnt:ro busybox sh -c "cat /mnt/f; >/mnt/g"',
    /^hi\n.*Read-only/,
  ],
  ['05', 'a root of its own', 'run busybox ls /etc/debian_version', /No such file/],
  ['06', 'an init', "run --init busybox sh -c 'echo $$ $PPID'", /^[2-9] 1$/],
  [
    '06b',
    'a terminal',
    'script -qec "node chapters/21-standard/box.ts run --tty busybox tty" /dev/null',
    /\/dev\/(pts|console)/,
  ],
  ['07', 'limits', 'run --memory 16m --pids 20 busybox sh -c "cat /dev/zero | tail"; echo $?', /^137$/m],
  [
    '08',
    'layers that keep changes',
    'run --keep --name kept busybox touch /new; ls /tmp/box/containers/kept/upper/new; box rm kept',
    /new$/,
  ],
  [
    '09',
    'images from archives, and into them',
    'box save busybox /tmp/saved.tar && box load /tmp/saved.tar',
    /busybox/,
  ],
  [
    '10',
    'a network, and a published port',
    'run --detach --name web --publish 8070:80 busybox sh -c "echo served >/index.html; httpd -f -p 80 -h /" >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do curl -s http://127.0.0.1:8070/ && break; sleep 0.2; done; box stop web 0; box rm web',
    /^served$/,
  ],
  [
    '11',
    'exec',
    'run --detach --name up busybox sleep 100 >/dev/null; box exec up hostname; box stop up 0; box rm up',
    /^box$/,
  ],
  [
    '12',
    'boxes that stay: logs, ps, start, stop, rm',
    'run --detach --name stay busybox sh -c "echo out; echo err >&2; exit 3"; sleep 1; box logs stay; box logs --follow stay 2>/dev/null; box ps; box start stay; box stop stay 0 2>/dev/null; box rm stay; box logs stay',
    /^stay\nout\nerr\nout\nstay\tbusybox\t.*exited \(3\)\nbox: there is no box stay$/,
  ],
  [
    '13',
    'commit and diff',
    'run --keep --name c busybox touch /tmp/x; box diff c; box commit c changed >/dev/null; run changed ls /tmp; box rm c',
    /A \/tmp\/x\n[\s\S]*x$/,
  ],
  [
    '14',
    'build',
    'mkdir -p /tmp/b; printf "FROM busybox\\nRUN echo built > /made\\nCMD [\\"cat\\", \\"/made\\"]\\n" > /tmp/b/Dockerfile; box build /tmp/b built >/dev/null; run built',
    /built$/,
  ],
  [
    '15',
    "an ordinary user's box",
    `mv /tmp/box /tmp/roots; setpriv --reuid 1234 --regid 1234 --clear-groups env HOME=/tmp node ${LAST} unshare id -u; rm -rf /tmp/box; mv /tmp/roots /tmp/box`,
    /^0$/,
  ],
  [
    '16',
    'a root with few rights',
    'run busybox grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status',
    /a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2/,
  ],
  [
    '17',
    'tag, and a registry',
    'box tag busybox here:5000/b && box images | grep -c here; box pull 127.0.0.1:9/none',
    /^1\n.*(refused|127\.0\.0\.1:9)/,
  ],
  [
    '18',
    'a daemon',
    'daemon; api http://box/_ping; box run --detach --name d busybox echo hello >/dev/null; sleep 1; api http://box/containers/d/json | grep -o \'"Status":"[a-z]*"\'; box rm d',
    /^OK"Status":"exited"$/,
  ],
  [
    '18',
    'a daemon that ignores nothing',
    `daemon; for body in '{"Image":"busybox","WorkingDir":"/tmp"}' '{"Image":"busybox","HostConfig":{"ShmSize":1}}' '{"Image":"busybox","HostConfig":{"LogConfig":{"Type":"syslog"}}}' '{"Image":"busybox","HostConfig":{"PortBindings":{"80/udp":[{"HostPort":"1"}]}}}' '{"Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"n":{"IPAMConfig":{"IPv4Address":"10.1.1.1"}}}}}'; do api -d "$body" http://box/containers/create; echo; done`,
    /^(.*this box cannot do .*\n?){5}$/,
  ],
  [
    '19',
    'names on a network',
    'box network create inner >/dev/null; run --detach --name first --net inner busybox sleep 100 >/dev/null; run --net inner busybox nslookup first 2>&1; box stop first 0; box rm first; box network rm inner',
    /Name:\s+first[\s\S]*Address/,
  ],
  [
    '19',
    'health, of boxes of the daemon too',
    `daemon; api -d '{"Image":"busybox","Cmd":["sleep","100"],"Healthcheck":{"Test":["CMD","test","-d","/tmp dir"],"Interval":100000000,"Retries":2}}' 'http://box/containers/create?name=h' >/dev/null; api -X POST http://box/containers/h/start; until box health h | grep -q unhealthy; do sleep 0.2; done; api http://box/containers/json | grep -o '(unhealthy)'; api http://box/containers/h/json | grep -o '"Health":{"Status":"unhealthy"'; api -X DELETE 'http://box/containers/h?force=1'`,
    /^\(unhealthy\)\n"Health":\{"Status":"unhealthy"$/,
  ],
  ['20', 'hosts', 'box hosts up && box on one run --net none busybox echo there; box hosts down', /there/],
  ['21', 'bundles', 'box state nothing; box', /there is no box nothing\n.*there is no command/],
  [
    '21',
    'a message that lists all verbs',
    'box nonsense',
    /^box: there is no command nonsense; there are run,.*logs.*create.*hosts.*network.*daemon.*pull, push, tag.*unshare/m,
  ],
];

export function testLastBox(isAsked: (chapter: string) => boolean): void {
  describe.skipIf(process.geteuid?.() !== 0)('the last box (wants root)', () => {
    let sandbox: Sandbox;
    const type = async (script: string): Promise<string> => {
      const command = ['sh', '-c', `exec 2>&1; ${HEAD}${script}`];
      return (await capture(sandbox, command, { timeout: 30_000 })).stdout.replaceAll('\r', '').trim();
    };
    beforeAll(async () => {
      sandbox = await Sandbox.create();
      await type(
        'node chapters/08-layers/box.ts true; tar -C /tmp/box/rootfs -cf /tmp/busybox.tar .; box import /tmp/busybox.tar busybox',
      );
    });
    afterAll(() => sandbox?.close());

    test.each(CAPABILITIES.filter(([chapter]) => isAsked(chapter)))(
      'chapter %s: %s',
      async (_, what, script, shows) => {
        expect(await type(script), what).toMatch(shows);
      },
    );
  });
}
