import { budgetMiB, type SoakResult, type SoakSample } from './soak.js';
import { median, slopeOf } from './trend.js';

export interface SoakFigures {
  readonly simulatedHours: number;
  readonly frames: number;
  readonly events: number;
  /** Service and worker together, RSS, when warm; the median of a while. */
  readonly warmMb: number;
  /** The most that they had from then on. */
  readonly peakMb: number;
  /** Of both together, from then on. */
  readonly slopeMbPerHour: number;
  /** Of what JavaScript holds in the service after a collection. */
  readonly heapSlopeMbPerHour: number;
}

/** What a process may have beside the budget, MB. */
const processMb = 300;
const processes = 2;
/** What memory may gain by its trend over the whole run, MB: below it lies what allocators leave lying about. */
const flatMb = 30;
const mbPerMiB = 1.048_576;

/** The most that service and worker may have together, MB. */
export const limitMb = budgetMiB * mbPerMiB + processes * processMb;

const rssMb = ({ service, worker }: SoakSample): number => service.rssMb + worker.rssMb;

/** The first third is for warming up: compilers, models, pools, the first fill of the log. */
export function figuresOf(hours: number, { frames, events, samples }: SoakResult): SoakFigures {
  const warm = samples.slice(Math.floor(samples.length / 3));
  const slope = (value: (sample: SoakSample) => number): number =>
    slopeOf(warm.map((sample) => ({ at: sample.hour, value: value(sample) })));
  return {
    simulatedHours: hours,
    frames,
    events,
    warmMb: median(warm.slice(0, Math.ceil(warm.length / 4)).map(rssMb)),
    peakMb: Math.max(...warm.map(rssMb)),
    slopeMbPerHour: slope(rssMb),
    heapSlopeMbPerHour: slope(({ service }) => service.heapMb),
  };
}

/** Why the figures are not as promised; nothing where they are. */
export function complaintsAbout(figures: SoakFigures): string[] {
  const { simulatedHours, events, peakMb, slopeMbPerHour, heapSlopeMbPerHour } = figures;
  const gained = (slope: number): number => slope * simulatedHours;
  return [
    ...(events > 0 ? [] : ['no event came']),
    ...(peakMb <= limitMb ? [] : [`service and worker had ${peakMb.toFixed(0)} MB, more than ${limitMb.toFixed(0)}`]),
    ...(gained(slopeMbPerHour) <= flatMb
      ? []
      : [`memory grew by ${gained(slopeMbPerHour).toFixed(0)} MB by its trend`]),
    ...(gained(heapSlopeMbPerHour) <= flatMb
      ? []
      : [`the heap of the service grew by ${gained(heapSlopeMbPerHour).toFixed(0)} MB by its trend`]),
  ];
}
