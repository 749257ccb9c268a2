/** A figure at a time, such as memory in MB by the hour. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The median of an even number is the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
}

/** Slope by Theil and Sen, the median of the slopes between any two samples: a few outliers do not move it. */
export function slopeOf(samples: readonly Sample[]): number {
  const slopes: number[] = [];
  for (const [i, a] of samples.entries())
    for (const b of samples.slice(i + 1)) if (b.at !== a.at) slopes.push((b.value - a.value) / (b.at - a.at));
  return median(slopes);
}
