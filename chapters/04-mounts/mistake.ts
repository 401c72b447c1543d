// What its user did wrong is told in one line: the stack of calls would only say where we noticed.

export class Mistake extends Error {}

process.on('uncaughtException', error => {
  console.error(error instanceof Mistake ? `box: ${error.message}` : error);
  process.exit(125);
});
