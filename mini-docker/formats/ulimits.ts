/** RLIMIT_…, as `ulimit` has them: what may be limited of one process. <asm-generic/resource.h> */
export const ULIMITS: readonly string[] =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  );
