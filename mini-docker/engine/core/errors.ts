// Errors that several rooms of the engine share.

import { conflict, type ExpectedError, notFound } from '../../formats/errors.ts';

export function noSuchContainer(reference: string): ExpectedError {
  return notFound(`No such container: ${reference}`);
}

export function noSuchExec(id: string): ExpectedError {
  return notFound(`No such exec instance: ${id}`);
}

export function notRunning(id: string): ExpectedError {
  return conflict(`container ${id} is not running`);
}
