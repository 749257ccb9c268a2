import type { Claim } from '../claim.js';
import type { Sentence } from './sentence.js';

/** Figures with a unit must be the ones that were measured, as rounded in print. */
export function figures(sentence: Sentence, claim: Claim): void {
  sentence.take(/(\d+) × (\d+) px(?![a-z²])/g, ([, width, height]) =>
    [claim.before?.region, claim.after?.region].some(
      (box) => box !== undefined && near(width, box.width) && near(height, box.height),
    ),
  );
  sentence.take(/\b(?:(\d+) min(?: (\d+) s)?|(\d+(?:\.\d+)?) s)(?![a-z])/g, ([, minutes, rest, seconds]) => {
    const said = minutes === undefined ? seconds : String(Number(minutes) * 60 + Number(rest ?? 0));
    return near(said, (claim.interval.last.elapsedMs - claim.interval.first.elapsedMs) / 1_000);
  });
  if (claim.kind === 'CONDITION') conditionFigures(sentence, claim);
  else sentence.take(/(\d+(?:\.\d+)?) px(?![a-z²])/g, ([, said]) => near(said, measured(claim, 'px')?.after));
  sentence.take(/\d+(?:\.\d+)? (?:px|%|grey levels|specks)(?![a-z²])/g, () => false);
}

const measured = (claim: Claim, unit: string) => claim.measures.find((m) => m.unit === unit);

function conditionFigures(sentence: Sentence, claim: Claim): void {
  const { before: least = NaN, after: greatest = NaN } = claim.measures.at(0) ?? {};
  if (claim.condition === 'LIGHTING') {
    sentence.take(/\bdimmed to (\d+) %/g, ([, said]) => near(said, 100 * least) && greatest < 1);
    sentence.take(/\bbrightened to (\d+) %/g, ([, said]) => near(said, 100 * greatest) && least > 1);
    sentence.take(
      /\bbetween (\d+) % and (\d+) %/g,
      ([, from, to]) => near(from, 100 * least) && near(to, 100 * greatest),
    );
  }
  if (claim.condition === 'SHADOW')
    sentence.take(/(\d+) % of the light\b/g, ([, said]) => near(said, 100 * (1 - least)));
  if (claim.condition === 'WEATHER') {
    const isHaze = claim.measures.at(0)?.unit === 'of its contrast';
    if (isHaze !== /\b(?:fog|haze)\b/.test(sentence.text)) sentence.wrong.push('it tells of another weather');
    sentence.take(/(\d+) % of the contrast\b/g, ([, said]) => isHaze && near(said, 100 * (1 - least)));
  }
  const unit = { CAMERA_MOVED: 'px', NOISE: 'grey levels', WEATHER: 'specks' }[String(claim.condition)];
  if (unit !== undefined)
    sentence.take(new RegExp(`(\\d+(?:\\.\\d+)?) ${unit}`, 'g'), ([, said]) => near(said, greatest));
}

/** Whether a printed figure is a value as rounded to its last digit. */
const near = (said: string, value: number | undefined): boolean =>
  value !== undefined && Math.abs(Number(said) - value) <= (said.includes('.') ? 0.051 : 0.51);
