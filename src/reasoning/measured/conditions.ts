import type { ConditionSpan } from '../../evidence/condition-spans.js';
import type { SceneEvidence } from '../../evidence/scene.js';
import { placeOf } from './words.js';
import type { Claim } from '../claim.js';

/** A nuisance must have been measured for this long, ms. */
const LEAST_MS = 250;

/** Claims about why pixels changed although nothing in the scene did. */
export function conditionClaims(evidence: SceneEvidence): Claim[] {
  const { sequence } = evidence;
  return evidence.conditions
    .filter((span) => span.last.elapsedMs - span.first.elapsedMs >= LEAST_MS)
    .map((span) => ({
      kind: 'CONDITION' as const,
      condition: span.cause,
      subject: { label: 'picture', description: 'the picture', confidence: 1 },
      statement: sentenceOf(span, sequence.frames[0].ref),
      interval: { first: span.first, last: span.last },
      ...(span.region && { after: { region: span.region } }),
      measures: [
        {
          name: span.unit === 'of its contrast' ? 'contrast' : measureNames[span.cause],
          unit: span.unit,
          before: round(span.least),
          after: round(span.greatest),
        },
      ],
      ongoing: span.ongoing,
      identity: {},
    }));
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
const percent = (gain: number): string => `${Math.round(gain * 100)} %`;

const measureNames: Readonly<Record<ConditionSpan['cause'], string>> = {
  LIGHTING: 'light',
  CAMERA_MOVED: 'shift of the picture',
  OVERLAY: 'overlay',
  NOISE: 'noise of a pixel',
  WEATHER: 'specks',
  SHADOW: 'light in the shadow',
  COLOR_MODE: 'colour',
  OBSCURED: 'detail',
  SIGNAL_GAP: 'gap',
  RENDERING: 'rendering',
};

/** By what is missing. */
const obscured: Readonly<Record<string, string>> = {
  'of its light': 'The view is obscured: the picture is dark.',
  'of its detail': 'The view is obscured: something covers the lens.',
  'of its sharpness': 'The view is out of focus.',
};

function sentenceOf(span: ConditionSpan, picture: { readonly width: number; readonly height: number }): string {
  const where = span.region ? ` ${placeOf(span.region, picture)}` : '';
  switch (span.cause) {
    case 'LIGHTING':
      if (span.greatest < 1) return `The light${where} dimmed to ${percent(span.least)} of its usual level.`;
      if (span.least > 1) return `The light${where} brightened to ${percent(span.greatest)} of its usual level.`;
      return `The light${where} changed between ${percent(span.least)} and ${percent(span.greatest)} of its usual level.`;
    case 'CAMERA_MOVED':
      return `The camera moved or shook by up to ${span.greatest.toFixed(1)} px.`;
    case 'OVERLAY':
      return `An overlay such as a time stamp${where} keeps changing in place.`;
    case 'NOISE':
      if (span.unit === 'of the usual grain') return 'The picture was compressed so hard that it lost its fine grain.';
      return `The picture is noisier than usual: ${span.greatest.toFixed(1)} grey levels a pixel.`;
    case 'WEATHER':
      if (span.unit === 'of its contrast')
        return `Fog, haze or the like takes up to ${percent(1 - span.least)} of the contrast.`;
      return `Rain, snow or the like: up to ${Math.round(span.greatest)} specks a frame.`;
    case 'SHADOW':
      return `A soft shadow${where} takes up to ${percent(1 - span.least)} of the light.`;
    case 'COLOR_MODE':
      return 'The picture lost its colour, as a camera does that switches to night mode.';
    case 'OBSCURED':
      return obscured[span.unit] ?? 'The view is obscured.';
    case 'SIGNAL_GAP':
      return 'The signal was interrupted.';
    case 'RENDERING':
      return 'The picture was rendered differently.';
  }
}
