import { does, shell } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  timeLimit: 60_000,
  async check(lab) {
    const { random } = lab;
    const [network, other, name, text] = [random.word(), random.word(), random.word(), random.word()];
    await does(lab, 'network', 'create', network);
    await does(lab, 'network', 'create', other);
    const listed = await lab.run(['network', 'ls']);
    lab.promise('ls', listed.stdout.includes(network) && listed.stdout.includes(other), {
      promised: `network ls lists ${network} and ${other}`,
      seen: ending(listed),
      look: 'a record of the networks',
    });
    const serve = `mkdir /www; echo ${text} > /www/index.html; exec httpd -f -h /www`;
    await does(lab, 'run', '-d', '--name', name, '--network', network, 'busybox', 'sh', '-c', serve);
    const get = `wget -T 3 -qO- http://${name}/`;
    let seen = await shell(lab, get, ['--network', network]);
    const found = await lab.until(async () => {
      if (seen.stdout === `${text}\n`) return true;
      seen = await shell(lab, get, ['--network', network]);
      return false;
    });
    lab.promise('by-name', found, {
      promised: `in network ${network}, another container reaches http://${name}/`,
      seen: `${ending(seen)}; ${seen.stderr.trim()}`,
      look: 'a name server at an address that /etc/resolv.conf names, or /etc/hosts',
    });
    const apart = await shell(lab, get, ['--network', other]);
    lab.promise('apart', apart.code !== 0, {
      promised: `in network ${other} the name is unknown`,
      seen: ending(apart),
      look: 'names are per network',
    });
    const late = random.word();
    await does(lab, 'run', '-d', '--name', late, '--network', network, 'busybox', 'sleep', '3000');
    const later = await lab.run(['exec', name, 'sh', '-c', `ping -c 1 -W 2 ${late}`]);
    lab.promise('later', later.code === 0, {
      promised: `the first container finds ${late}, which was started after it`,
      seen: ending(later),
      look: 'a file that was written when the container started does not know it',
    });
    const unknown = await lab.run(['run', '--network', random.word(), 'busybox', 'true']);
    lab.promise('unknown', unknown.code !== 0, {
      promised: 'a network that does not exist is refused',
      seen: ending(unknown),
      look: 'the record of the networks',
    });
    await does(lab, 'network', 'rm', other);
    const left = await lab.run(['network', 'ls']);
    lab.promise('rm', !left.stdout.includes(other), {
      promised: `network rm ${other} removes it`,
      seen: ending(left),
      look: 'the record, and the bridge',
    });
  },
};
