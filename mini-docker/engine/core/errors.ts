// Errors that several rooms of the engine share.

import { ExpectedError } from '../../formats/errors.ts';

export function noSuchContainer(reference: string): ExpectedError {
  return new ExpectedError('notFound', `No such container: ${reference}`);
}

export function noSuchExec(id: string): ExpectedError {
  return new ExpectedError('notFound', `No such exec instance: ${id}`);
}

export function notRunning(id: string): ExpectedError {
  return new ExpectedError('conflict', `container ${id} is not running`);
}

export function badParameter(message: string): ExpectedError {
  return new ExpectedError('badParameter', message);
}
