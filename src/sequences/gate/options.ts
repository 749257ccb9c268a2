export interface GateOptions {
  /** A change that rests this long is part of the scene; default 500 ms. */
  readonly settleMs: number;
  /** Deviations of the measured noise above which a cell differs; default 5. */
  readonly deviations: number;
}

export const gateDefaults: GateOptions = { settleMs: 500, deviations: 5 };
