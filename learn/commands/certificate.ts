// `learn certificate`: shows what the capstone has come to, and writes it down.
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  certificateMarkdown,
  certificateSvg,
  certificateText,
  printableName,
} from '../capstone/certificate.ts';
import { isFinished, whatWasBuilt } from '../capstone/finish.ts';
import { capstoneProgress, existingProject } from '../capstone/project.ts';
import { stages } from '../capstone/stages.ts';
import { UserError } from '../course.ts';
import { print } from '../screen.ts';
import { own } from '../work.ts';

export async function certificate(named: string | undefined, options: { name: string }): Promise<void> {
  const folder = existingProject(named);
  const progress = capstoneProgress(folder);
  const all = await stages();
  const name = printableName(options.name);
  if (name === '') throw new UserError("a certificate needs a name: --name 'Your Name'");
  if (!isFinished(progress, all)) {
    throw new UserError(
      `${Object.keys(progress.passed).length} of ${all.length} stages have passed: the certificate comes with the last. learn capstone shows what is open`,
    );
  }
  const content = { name, built: whatWasBuilt(folder, progress, all) };
  print(certificateText(content));
  const files = {
    'certificate.md': certificateMarkdown(content),
    'certificate.svg': certificateSvg(content),
  };
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file);
    writeFileSync(path, text);
    own(path);
    print(relative(process.cwd(), path));
  }
}
