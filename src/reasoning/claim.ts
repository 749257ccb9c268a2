import type { Finding } from '../records/index.js';

/** A finding before it was held against the evidence. Pictures are added once it is known what to show. */
export type Claim = Omit<Finding, 'verification' | 'pictures'>;
