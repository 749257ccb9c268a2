import type { ChangeKind, ConditionCause, Measure, Side } from '../../records/index.js';

/** What is said of two screenshots, without the moment and the pictures. */
export interface InterfaceClaim {
  readonly kind: ChangeKind;
  readonly condition?: ConditionCause;
  /** `text`, `icon`, `border`, `separator`, `surface`, `layout`, `picture`, `rendering`. */
  readonly label: string;
  readonly statement: string;
  readonly before?: Side;
  readonly after?: Side;
  readonly shift?: { readonly dx: number; readonly dy: number };
  readonly measures: readonly Measure[];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export const sizeMeasures = (a: Size, b: Size): Measure[] => [
  { name: 'width', unit: 'px', before: a.width, after: b.width },
  { name: 'height', unit: 'px', before: a.height, after: b.height },
];

export const sizeText = ({ width, height }: Size): string => `${width} × ${height} px`;
