/** The result of synchronous work as a promise; what it throws becomes the rejection. */
export const promised = <T>(work: () => T): Promise<T> => new Promise((resolve) => resolve(work()));
