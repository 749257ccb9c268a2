import { BlinkstreamError } from '../records/index.js';

export const logClosed = (): BlinkstreamError =>
  new BlinkstreamError('the log is closed', {
    code: 'LOG_CLOSED',
    class: 'internal',
    stage: 'log',
    hint: 'Close the log after everything that reads or writes it.',
  });

/** A listing cannot go on after a change that is not kept: it would repeat or leave out others. */
export const changeUnknown = (changeId: string): BlinkstreamError =>
  new BlinkstreamError(`no change ${changeId} to go on after: it was never there, or was pruned`, {
    code: 'CHANGE_UNKNOWN',
    class: 'user',
    stage: 'log',
    hint: 'List the changes from the start.',
  });
