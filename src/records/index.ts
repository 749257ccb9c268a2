export * from './change.js';
export * from './errors.js';
export * from './evidence.js';
export * from './finding.js';
export * from './frame.js';
export * from './picture.js';
export * from './region.js';
export * from './sequence.js';
