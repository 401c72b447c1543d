/** The result of one check by `learn doctor`. */
export interface Finding {
  /** 'kernel' */
  subject: string;
  state: 'good' | 'limited' | 'missing';
  /** What the check found. */
  found: string;
  /** Consequence for the course, unless the state is good. */
  means?: string;
  /** Remedy. */
  mend?: string;
}
