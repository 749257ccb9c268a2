import { crowdsOf } from '../../src/evidence/crowds.js';
import { during } from './findings.js';
import { box, spanOf, thing, trackOf, type Story } from './scenes.js';
import type { Box } from '../../fixtures/stage.js';
import type { Region } from '../../src/records/index.js';

const red: Box['colour'] = [190, 40, 40];
const blue: Box['colour'] = [40, 60, 190];
const maroon: Box['colour'] = [140, 20, 20];
const shown = (regions: readonly Region[], colour = red) => ({ boxes: regions.map((r) => ({ ...r, colour })) });

const left = box(30, 90, 40, 60);
const middle = box(140, 90, 40, 60);
const beside = box(164, 90, 40, 60);
const right = box(250, 90, 40, 60);
const lower = box(140, 150, 40, 60);
const queue = [60, 105, 150, 195, 240].map((x) => box(x, 90, 30, 50));
const herd = Array.from({ length: 11 }, (_, i) => box(20 + 26 * i, 100 + (i % 3) * 10, 20, 24));
const row = [10, 70, 130, 190, 250].map((x) => box(x, 90, 30, 50));

const onLeft = box(0, 100, 16, 30);
const onRight = box(304, 100, 16, 30);
const onTop = box(140, 0, 30, 20);
const inside = box(140, 100, 30, 30);
const atLeft = box(50, 100, 30, 30);
const atRight = box(250, 100, 30, 30);
const person = { object: thing('person', inside, 0.7) };

const all = (label: string, regions: readonly Region[]) => regions.map((region) => thing(label, region));

/** Scenes and what the measured reasoner says of each, word for word: every kind in every wording. */
export const trueClaims: readonly (readonly [says: readonly string[], story: Story])[] = [
  [['An object of about 42 × 62 px appeared at the left.'], { before: {}, after: shown([left]) }],
  [['A bottle appeared at the right.'], { after: shown([right]), objects: { after: all('bottle', [right]) } }],
  [['An umbrella appeared in the middle.'], { after: shown([middle]), objects: { after: all('umbrella', [middle]) } }],
  [
    ['A bottle appeared at the left; there are three bottles now.'],
    {
      before: shown([middle, right]),
      after: shown([left, middle, right]),
      objects: { before: all('bottle', [middle, right]), after: all('bottle', [left, middle, right]) },
    },
  ],
  [['The object of about 42 × 62 px at the right is gone.'], { before: shown([right]), after: {} }],
  [['The bottle at the left is gone.'], { before: shown([left]), objects: { before: all('bottle', [left]) } }],
  [['The scissors at the left are gone.'], { before: shown([left]), objects: { before: all('scissors', [left]) } }],
  [
    ['The right of two people is gone; one is left.'],
    {
      before: shown([left, right]),
      after: shown([left]),
      objects: { before: all('person', [left, right]), after: all('person', [left]) },
    },
  ],
  [
    ['The left of three bottles is gone; two are left.'],
    {
      before: shown([left, middle, right]),
      after: shown([middle, right]),
      objects: { before: all('bottle', [left, middle, right]), after: all('bottle', [middle, right]) },
    },
  ],
  [
    ['The left of two bottles is gone; none is left.', 'The right of two bottles is gone; none is left.'],
    { before: shown([left, right]), after: {}, objects: { before: all('bottle', [left, right]) } },
  ],
  [
    ['The second of five cars from the left is gone; four are left.'],
    {
      before: shown(row),
      after: shown(row.filter((_, i) => i !== 1)),
      objects: {
        before: all('car', row),
        after: all(
          'car',
          row.filter((_, i) => i !== 1),
        ),
      },
    },
  ],
  [
    ['There are five people in the middle now, up from three.'],
    {
      before: shown(queue.slice(1, 4)),
      after: shown(queue),
      objects: { before: all('person', queue.slice(1, 4)), after: all('person', queue) },
      crowds: crowdsOf([all('person', queue.slice(1, 4))], [all('person', queue)]),
    },
  ],
  [
    ['There is one person in the middle now, down from three.'],
    {
      before: shown(queue.slice(1, 4)),
      after: shown([queue[2]]),
      objects: { before: all('person', queue.slice(1, 4)), after: all('person', [queue[2]]) },
      crowds: crowdsOf([all('person', queue.slice(1, 4))], [all('person', [queue[2]])]),
    },
  ],
  [
    ['There are no cows in the middle now, down from 11.'],
    {
      before: shown(herd),
      after: {},
      objects: { before: all('cow', herd) },
      crowds: crowdsOf([all('cow', herd)], [[]]),
    },
  ],
  // A cqueued that shifts and stays as many is nothing to tell of, and a bag beside it is.
  [
    ['An object of about 42 × 42 px appeared at the top.'],
    {
      before: shown(queue),
      after: shown([...queue.map((r) => ({ ...r, x: r.x + 12 })), box(140, 10, 40, 40)]),
      objects: {
        before: all('person', queue),
        after: all(
          'person',
          queue.map((r) => ({ ...r, x: r.x + 12 })),
        ),
      },
      crowds: crowdsOf(
        [all('person', queue)],
        [
          all(
            'person',
            queue.map((r) => ({ ...r, x: r.x + 12 })),
          ),
        ],
      ),
    },
  ],
  [['The object at the left moved 220 px to the right.'], { before: shown([left]), after: shown([right]) }],
  [
    ['The chair at the left moved 125 px to the lower right.'],
    {
      before: shown([left]),
      after: shown([lower]),
      objects: { before: all('chair', [left]), after: all('chair', [lower]) },
    },
  ],
  [
    ['The chair in the middle moved 24 px to the right.'],
    {
      before: shown([middle]),
      after: shown([beside]),
      objects: { before: all('chair', [middle]), after: all('chair', [beside]) },
    },
  ],
  [
    ['The cup in the middle was replaced by an orange.'],
    {
      before: shown([middle]),
      after: shown([middle], blue),
      objects: { before: all('cup', [middle]), after: all('orange', [middle]) },
    },
  ],
  [
    ['The cup in the middle was replaced by another.'],
    {
      before: shown([middle]),
      after: shown([middle], blue),
      objects: { before: all('cup', [middle]), after: all('cup', [middle]) },
      alike: false,
    },
  ],
  [
    ['The object of about 42 × 62 px in the middle was replaced by another.'],
    { before: shown([middle]), after: shown([middle], blue), alike: false },
  ],
  [
    ['The car at the left turned from red to blue.'],
    {
      before: shown([left]),
      after: shown([left], blue),
      objects: { before: all('car', [left]), after: all('car', [left]) },
    },
  ],
  [
    ['The object of about 42 × 62 px in the middle turned from blue to red.'],
    { before: shown([middle], blue), after: shown([middle]) },
  ],
  [
    ['The car in the middle turned another shade of red.'],
    {
      before: shown([middle]),
      after: shown([middle], maroon),
      objects: { before: all('car', [middle]), after: all('car', [middle]) },
    },
  ],
  [
    ['The text at the upper left changed from "OPEN" to "CLOSED".'],
    { before: { clock: 'OPEN' }, after: { clock: 'CLOSED' }, text: ['OPEN', 'CLOSED'] },
  ],
  [
    ['The text at the upper left changed from "5" left" to "the 3 cars are gone".'],
    { before: { clock: 'OPEN' }, after: { clock: 'CLOSED' }, text: ['5" left', 'the 3 cars are gone'] },
  ],
  [['Something crossed the picture from left to right in 0.8 s.'], { tracks: [trackOf([onLeft, onRight])] }],
  [
    ['A person crossed the picture from right to left in 0.8 s.'],
    { tracks: [trackOf([onRight, inside, onLeft], person)] },
  ],
  [
    ['Something crossed the picture from the upper left to the lower right in 0.8 s.'],
    { tracks: [trackOf([box(0, 0, 20, 20), box(300, 220, 20, 20)])] },
  ],
  [
    ['A person came in at the top and went out at the left after 0.8 s.'],
    { tracks: [trackOf([onTop, onLeft], person)] },
  ],
  [
    ['Something came in at the top and went out there again after 0.8 s.'],
    { tracks: [trackOf([onTop, inside, onTop])] },
  ],
  [
    ['Something came in at the top and was last seen in the middle after 0.8 s.'],
    { tracks: [trackOf([onTop, inside])] },
  ],
  [
    ['A person came in at the top and moved downwards.'],
    { tracks: [trackOf([onTop, inside], { ...person, ongoing: true })] },
  ],
  [['Something came in at the left.'], { tracks: [trackOf([onLeft, atLeft, onLeft], { ongoing: true })] }],
  [['Something at the left moved to the right.'], { tracks: [trackOf([atLeft, atRight], { ongoing: true })] }],
  [
    ['Something in the middle moved upwards and went out at the top after 0.8 s.'],
    { tracks: [trackOf([inside, onTop])] },
  ],
  [
    ['A person at the left moved to the right and was last seen at the right after 0.8 s.'],
    { tracks: [trackOf([atLeft, atRight], person)] },
  ],
  [
    ['Something at the right moved to the left and was last seen at the left after 0.8 s.'],
    { tracks: [trackOf([atRight, atLeft])] },
  ],
  [['Something at the left moved for 0.8 s.'], { tracks: [trackOf([atLeft, box(80, 100, 30, 30), atLeft])] }],
  // From the first frames on: it may have stood at the border before.
  [
    ['A person at the left moved to the right and was last seen in the middle after 4.8 s.'],
    { tracks: [trackOf([onLeft, inside], { ...person, born: during(0, 120).first })] },
  ],
  [['The light dimmed to 71 % of its usual level.'], { conditions: [spanOf('LIGHTING', 0.71, 0.95, 'gain')] }],
  [['The light brightened to 140 % of its usual level.'], { conditions: [spanOf('LIGHTING', 1.05, 1.4, 'gain')] }],
  [
    ['The light at the upper left changed between 80 % and 140 % of its usual level.'],
    { conditions: [spanOf('LIGHTING', 0.8, 1.4, 'gain', box(0, 0, 100, 70))] },
  ],
  [['The camera moved or shook by up to 1.4 px.'], { conditions: [spanOf('CAMERA_MOVED', 0.6, 1.44, 'px')] }],
  [
    ['An overlay such as a time stamp at the upper left keeps changing in place.'],
    { conditions: [spanOf('OVERLAY', 1, 1, 'overlay', box(4, 4, 90, 20))] },
  ],
  [
    ['The picture is noisier than usual: 6.1 grey levels a pixel.'],
    { conditions: [spanOf('NOISE', 3, 6.08, 'grey levels')] },
  ],
  [
    ['Rain, snow or the like: up to 18 specks a frame.'],
    { conditions: [spanOf('WEATHER', 4, 17.6, 'specks a frame')] },
  ],
  [
    ['Fog, haze or the like takes up to 58 % of the contrast.'],
    { conditions: [spanOf('WEATHER', 0.42, 0.79, 'of its contrast')] },
  ],
  [
    ['A soft shadow at the lower right takes up to 45 % of the light.'],
    { conditions: [spanOf('SHADOW', 0.55, 0.9, 'gain', box(220, 170, 90, 60))] },
  ],
  [
    ['The picture lost its colour, as a camera does that switches to night mode.'],
    { conditions: [spanOf('COLOR_MODE', 0.01, 0.1, 'colour gain')] },
  ],
  [['The view is obscured: the picture is dark.'], { conditions: [spanOf('OBSCURED', 0.01, 0.02, 'of its light')] }],
  [['The view is obscured: something covers the lens.'], { conditions: [spanOf('OBSCURED', 0, 0.1, 'of its detail')] }],
  [['The view is out of focus.'], { conditions: [spanOf('OBSCURED', 0.1, 0.25, 'of its sharpness')] }],
];
