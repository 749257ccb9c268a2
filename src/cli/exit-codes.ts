/** What the process tells its caller. `interrupted`: broken off by a signal before its work was whole. */
export const exitCodes = {
  done: 0,
  changesFound: 1,
  usage: 2,
  input: 3,
  environment: 4,
  internal: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
