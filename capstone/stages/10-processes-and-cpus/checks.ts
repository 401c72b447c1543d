import { groupSetting, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [most, hundredths] = [random.integer(12, 40), random.integer(20, 90)];
    const options = ['--pids-limit', `${most}`, '--cpus', `${hundredths / 100}`];
    const { pid, client } = await waiting(lab, options);
    const pids = groupSetting(pid, 'pids', { v1: 'pids.max', v2: 'pids.max' });
    lab.promise('pids', pids === `${most}`, {
      promised: `--pids-limit ${most}: pids.max of the control group is ${most}`,
      seen: `it is ${pids ?? 'not there'}`,
      look: 'the controller pids',
    });
    const quota = groupSetting(pid, 'cpu', { v1: 'cpu.cfs_quota_us', v2: 'cpu.max' });
    const period = groupSetting(pid, 'cpu', { v1: 'cpu.cfs_period_us', v2: 'cpu.max' })?.split(' ').at(-1);
    const cpus = Number(quota?.split(' ')[0]) / Number(period);
    lab.promise('cpus', Math.abs(cpus - hundredths / 100) < 0.005, {
      promised: `--cpus ${hundredths / 100}: the quota is ${hundredths} % of the period`,
      seen: `quota ${quota ?? 'none'}, period ${period ?? 'none'}`,
      look: 'cpu.cfs_quota_us and cpu.cfs_period_us (v1), or cpu.max (v2)',
    });
    client.kill();
    const script =
      'n=0; while [ $n -lt 60 ]; do sleep 3 & n=$((n+1)); done 2>/dev/null; ls -d /proc/[0-9]* | wc -l';
    const many = await shell(lab, `(${script}) 2>&1 | tail -n 1`, options);
    const count = Number(many.stdout.trim().split('\n').at(-1));
    lab.promise('enforced', !(count > most + 4), {
      promised: `there are never more than ${most} processes in it`,
      seen: ending(many),
      look: 'is the process in the group before it makes others?',
    });
  },
};
