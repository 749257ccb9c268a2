import { refOf } from '../../fixtures/stage.js';
import { clipNames, FPS, gateClip, QUIET_FRAMES, type GateClip } from './clips.js';
import { blinkstream, openCvMethods, type GateMethod } from './methods.js';
import { openCv } from './opencv.js';

/** A real change is found if it is flagged while it happens or within so many frames. */
const GRACE_FRAMES = FPS;
const SEED = 1;

export interface GateScore {
  readonly method: string;
  /** Share of the frames of each nuisance clip that were flagged, in the order of the clips. */
  readonly falseHits: ReadonlyMap<string, number>;
  /** Real changes that were found, of all. */
  readonly recall: number;
  /** Of the changes that last, those that it still knows of at the end of their clip. */
  readonly knownAtEnd: number;
  readonly msPerFrame: number;
}

/** Every method over every clip, in turns, so that what the machine does else hits all alike. */
export async function compareGates(): Promise<{ readonly nuisances: readonly string[]; readonly scores: GateScore[] }> {
  const { cv } = await openCv();
  const methods = [blinkstream, ...openCvMethods(cv)];
  const tallies = methods.map(() => ({
    falseHits: new Map<string, number>(),
    found: [] as boolean[],
    known: [] as boolean[],
    ms: 0,
  }));
  let frames = 0;
  for (const name of clipNames) {
    const clip = await gateClip(name, SEED);
    frames += clip.pictures.length;
    methods.forEach((method, m) => {
      const { flagged, lasting, ms } = play(method, clip);
      const tally = tallies[m];
      tally.ms += ms;
      if (clip.change === undefined) {
        tally.falseHits.set(
          name,
          flagged.filter((one, i) => one && i >= QUIET_FRAMES).length / (flagged.length - QUIET_FRAMES),
        );
        return;
      }
      const { first, last, lasts } = clip.change;
      tally.found.push(flagged.slice(first, last + GRACE_FRAMES + 1).includes(true));
      if (lasts) tally.known.push(lasting);
    });
  }
  const share = (all: readonly boolean[]): number => all.filter(Boolean).length / all.length;
  return {
    nuisances: [...tallies[0].falseHits.keys()],
    scores: tallies.map(({ falseHits, found, known, ms }, m) => ({
      method: methods[m].name,
      falseHits,
      recall: share(found),
      knownAtEnd: share(known),
      msPerFrame: ms / frames,
    })),
  };
}

function play(method: GateMethod, { pictures }: GateClip): { flagged: boolean[]; lasting: boolean; ms: number } {
  const gate = method.open();
  const flagged: boolean[] = [];
  let lasting = false;
  const started = process.cpuUsage();
  pictures.forEach((picture, i) => {
    const said = gate.look(picture, refOf(i, { width: picture.width, height: picture.height, fps: FPS }));
    flagged.push(said.flagged);
    lasting = said.lasting;
  });
  const { user, system } = process.cpuUsage(started);
  gate.close();
  return { flagged, lasting, ms: (user + system) / 1_000 };
}
