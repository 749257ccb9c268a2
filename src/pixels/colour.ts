const channels = (colour: string): number[] => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

/** Largest difference of a channel between two `#rrggbb` colours, 0–255. */
export const colourStep = (a: string, b: string): number => {
  const [p, q] = [channels(a), channels(b)];
  return Math.max(...p.map((value, i) => Math.abs(value - q[i])));
};

/** Words that `colourName` uses. */
export const colourNames = [
  'black',
  'dark grey',
  'grey',
  'light grey',
  'white',
  'red',
  'brown',
  'orange',
  'yellow',
  'green',
  'turquoise',
  'blue',
  'purple',
  'pink',
] as const;
export type ColourName = (typeof colourNames)[number];

/** The everyday word for a `#rrggbb` colour, by hue; weak colours are greys. */
export function colourName(colour: string): ColourName {
  const [r, g, b] = channels(colour);
  const most = Math.max(r, g, b);
  const least = Math.min(r, g, b);
  const range = most - least;
  if (range < 24 || range < 0.2 * most) {
    const level = (r + g + b) / 3;
    return level < 40
      ? 'black'
      : level < 96
        ? 'dark grey'
        : level < 168
          ? 'grey'
          : level < 224
            ? 'light grey'
            : 'white';
  }
  if (most < 48) return 'black';
  const sixth = most === r ? ((g - b) / range + 6) % 6 : most === g ? (b - r) / range + 2 : (r - g) / range + 4;
  const hue = sixth * 60;
  if (hue < 16 || hue >= 345) return least > 140 ? 'pink' : 'red';
  if (hue < 42) return most < 170 ? 'brown' : 'orange';
  if (hue < 68) return most < 110 ? 'brown' : 'yellow';
  if (hue < 160) return 'green';
  if (hue < 190) return 'turquoise';
  if (hue < 258) return 'blue';
  return hue < 300 ? 'purple' : 'pink';
}
