/** One thing that was looked at. */
export interface Finding {
  /** 'kernel' */
  subject: string;
  state: 'good' | 'limited' | 'missing';
  /** What is there. */
  found: string;
  /** What it means for the course, where it is not good. */
  means?: string;
  /** What to do about it. */
  mend?: string;
}
