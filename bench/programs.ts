/**
 * Wrapped handlers as one deploys them: `own` makes its client of the SDK by itself, `sdk` gets the one that the peer makes.
 * `wire` is no library's: the least that any client over `node:https` takes.
 */
export const HANDLERS = {
  light: new URL("./handlers/light.ts", import.meta.url),
  own: new URL("./handlers/own.ts", import.meta.url),
  sdk: new URL("./handlers/sdk.ts", import.meta.url),
  peer: new URL("./handlers/peer.ts", import.meta.url),
  wire: new URL("./handlers/wire.ts", import.meta.url),
} as const;

/** An import of nothing, for comparison. */
export const NOTHING: URL = new URL("./handlers/nothing.ts", import.meta.url);

/** The same under measurement, in every scenario; `bare` is the SDK without a library, `wire` is `node:https` without one. */
export const SUBJECTS = {
  light: new URL("./subjects/light.ts", import.meta.url),
  own: new URL("./subjects/own.ts", import.meta.url),
  sdk: new URL("./subjects/sdk.ts", import.meta.url),
  peer: new URL("./subjects/peer.ts", import.meta.url),
  bare: new URL("./subjects/bare.ts", import.meta.url),
  wire: new URL("./subjects/wire.ts", import.meta.url),
} as const;

export type Subject = keyof typeof SUBJECTS;
