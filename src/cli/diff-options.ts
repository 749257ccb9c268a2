/** What `blinkstream diff` was asked. */
export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly out: string;
  readonly maxPixels: number;
  readonly workers?: number;
  readonly failOnChange?: boolean;
}
