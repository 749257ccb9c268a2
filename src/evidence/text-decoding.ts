import type { Tensor } from './models.js';

/** A decoded line. */
export interface DecodedText {
  readonly text: string;
  /** Mean probability of its characters, 0–1; 0 for no character. */
  readonly confidence: number;
}

/**
 * Best path of connectionist temporal classification: the likeliest class of every step, repeats merged, blanks
 * (class 0) dropped. Source: Graves et al., ICML 2006.
 *
 * @param probabilities `[1, steps, classes]`, each step adds up to one
 * @param keys character of each class
 */
export function decodeCtc(probabilities: Tensor, keys: readonly string[]): DecodedText {
  const [, steps, classes] = probabilities.dims;
  const { values } = probabilities;
  let text = '';
  let sum = 0;
  let count = 0;
  let last = 0;
  for (let step = 0; step < steps; step++) {
    const from = step * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (values[from + c] > values[from + best]) best = c;
    if (best !== 0 && best !== last) {
      text += keys[best];
      sum += values[from + best];
      count++;
    }
    last = best;
  }
  return { text, confidence: count > 0 ? sum / count : 0 };
}
