// A user's mistake is reported in one line: a stack trace would only show where the program noticed it.

export class Mistake extends Error {}

process.on('uncaughtException', error => {
  console.error(error instanceof Mistake ? `box: ${error.message}` : error);
  process.exit(125);
});
