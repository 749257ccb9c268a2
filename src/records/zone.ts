/**
 * What an area of a source's picture is for. `name`: sentences say where by it. `include`: only what is in one of these is
 * told. `exclude`: nothing in it is told. `private`: it is black before anything looks at a frame.
 */
export const zoneUses = ['name', 'include', 'exclude', 'private'] as const;
export type ZoneUse = (typeof zoneUses)[number];

/** An area of a source's picture. */
export interface Zone {
  readonly name: string;
  readonly use: ZoneUse;
  /** Three corners or more, each `[x, y]` in shares of width and height, 0–1: the same at any size. */
  readonly polygon: readonly (readonly [x: number, y: number])[];
}
