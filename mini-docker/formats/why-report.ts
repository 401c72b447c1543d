// The reasons why a container ended, does not start, cannot be reached or is slow: GET /containers/{id}/why,
// an addition to the Engine API.

export interface WhyReport {
  name: string;
  id: string;
  /** 'running', 'exited', …: as inspect has it. */
  status: string;
  /** The cause first. Never empty. */
  findings: Finding[];
}

export interface Finding {
  /** Code for programs: 'oom-killed', 'listens-on-loopback', …. */
  code: string;
  /** One or two sentences for the user. */
  sentence: string;
  /** Lines from the record, the log and the kernel. */
  evidence: string[];
  /** Advice; missing where nothing is wrong. */
  advice?: string;
}
