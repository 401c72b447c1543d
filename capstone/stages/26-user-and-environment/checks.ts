import { shell } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [user, group] = [random.integer(1000, 9000), random.integer(1000, 9000)];
    const numbers = await shell(lab, 'id -u; id -g; touch /root/x 2>/dev/null || echo refused', [
      '--user',
      `${user}:${group}`,
    ]);
    lab.promise('numbers', numbers.stdout.startsWith(`${user}\n${group}\n`), {
      promised: `--user ${user}:${group} runs the command with these ids`,
      seen: ending(numbers),
      look: 'setgroups, setgid, setuid: in this order, and after all that needs root',
    });
    const named = await shell(lab, 'id -u; id -g; grep -E "^Cap(Eff|Prm)" /proc/self/status', [
      '--user',
      'guest',
    ]);
    lab.promise('name', named.stdout.startsWith('405\n100\n'), {
      promised: "--user guest is looked up in the image's /etc/passwd: 405 and 100",
      seen: ending(named),
      look: "the image's file, and not the machine's",
    });
    lab.promise('no-capabilities', /CapEff:\s*0+\n?/.test(named.stdout), {
      promised: 'a user who is not root has no effective capabilities',
      seen: ending(named),
      look: 'setuid(2) clears them, unless PR_SET_KEEPCAPS is set',
    });
    const [variable, value, secret, directory] = [
      random.word().toUpperCase(),
      `${random.word()} ${random.word()}`,
      random.word(),
      `/tmp/${random.word()}`,
    ];
    const environment = await lab.run(
      [
        'run',
        '-e',
        `${variable}=${value}`,
        '-w',
        directory,
        'busybox',
        'sh',
        '-c',
        `echo "$${variable}"; pwd; echo $PATH; env`,
      ],
      {
        environment: { CAPSTONE_SECRET: secret },
      },
    );
    lab.promise('environment', environment.stdout.startsWith(`${value}\n`), {
      promised: `-e ${variable}="${value}" sets the variable`,
      seen: ending(environment),
      look: 'the third argument of execve(2)',
    });
    lab.promise('directory', environment.stdout.startsWith(`${value}\n${directory}\n`), {
      promised: `-w ${directory} is made, and is the working directory`,
      seen: ending(environment),
      look: 'chdir(2) after the root was changed',
    });
    lab.promise(
      'not-inherited',
      !environment.stdout.includes(secret) && environment.stdout.includes('/usr/local/sbin:'),
      {
        promised: "the environment of the caller does not get in, and PATH is the image's",
        seen: environment.stdout.includes(secret) ? 'a variable of the caller is there' : ending(environment),
        look: "an environment of its own: the image's Env, and then -e",
      },
    );
  },
};
