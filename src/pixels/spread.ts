/** Histogram of absolute differences, in fractions of a grey level. */
const BINS = 2_048;
const BINS_A_LEVEL = 16;
/** Of the call that runs. */
const histogram = new Uint32Array(BINS);

/** Standard deviation over the median, and over the first quartile, of absolute values that are normally distributed. */
const OVER_MEDIAN = 1.4826;
const OVER_QUARTILE = 3.1381;
/** Noise of any usual shape has both within this factor; where they are apart, something else covers half the picture. */
const APART = 2;

/**
 * Robust standard deviation of differences that are noise but for things that came or went: 1.4826 × the median absolute
 * difference, in steps of 1/16 grey level. Where things make up most of them, by the first quartile, which bears three
 * quarters of them.
 */
export function robustSpread(differences: Float32Array): number {
  const count = differences.length;
  histogram.fill(0);
  for (let k = 0; k < count; k++) histogram[Math.min(BINS - 1, (Math.abs(differences[k]) * BINS_A_LEVEL) | 0)]++;
  const quantile = (share: number): number => {
    let below = 0;
    let bin = 0;
    while (bin < BINS - 1 && (below += histogram[bin]) < share * count) bin++;
    return (bin + 0.5) / BINS_A_LEVEL;
  };
  const byMedian = OVER_MEDIAN * quantile(0.5);
  const byQuartile = OVER_QUARTILE * quantile(0.25);
  return byMedian > APART * byQuartile ? byQuartile : byMedian;
}
