/** What a window of one minute has taken so far, this request included. */
export type Window = { used: number; resetsAtMs: number };

/** Counts requests and tokens in windows of one minute, and calls that are under way. */
export type Limiter = {
  /** Adds to a window, and tells what it holds then. */
  add(name: string, amount: number): Promise<Window>;
  /** What a window holds; null where nothing was counted in it. */
  read(name: string): Promise<Window | null>;
  /** Takes one of `places`; null where none is free. What comes back gives the place back, once. */
  enter(name: string, places: number): Promise<(() => void) | null>;
  close(): Promise<void>;
};
