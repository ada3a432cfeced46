/**
 * Wrapped handlers as one deploys them: `own` makes its client of the SDK by itself, `sdk` gets the one that the peer makes.
 * `wire` and `parts` are no library's: the least that any client over `node:https` takes, and the least that one takes which
 * signs by `aws4` and selects by JMESPath. `sdkParts` is the same over the SDK.
 */
export const HANDLERS = {
  light: new URL("./handlers/light.ts", import.meta.url),
  own: new URL("./handlers/own.ts", import.meta.url),
  sdk: new URL("./handlers/sdk.ts", import.meta.url),
  peer: new URL("./handlers/peer.ts", import.meta.url),
  wire: new URL("./handlers/wire.ts", import.meta.url),
  parts: new URL("./handlers/parts.ts", import.meta.url),
  sdkParts: new URL("./handlers/sdk-parts.ts", import.meta.url),
} as const;

/** An import of nothing, for comparison. */
export const NOTHING: URL = new URL("./handlers/nothing.ts", import.meta.url);

/** Those that are no library's: the SDK alone, a socket of TLS, `node:https`, and that with the signer and JMESPath. */
export const FLOORS = {
  bare: new URL("./subjects/bare.ts", import.meta.url),
  socket: new URL("./subjects/socket.ts", import.meta.url),
  wire: new URL("./subjects/wire.ts", import.meta.url),
  parts: new URL("./subjects/parts.ts", import.meta.url),
} as const;

/** The same handler under measurement, in every scenario. */
export const SUBJECTS = {
  light: new URL("./subjects/light.ts", import.meta.url),
  own: new URL("./subjects/own.ts", import.meta.url),
  sdk: new URL("./subjects/sdk.ts", import.meta.url),
  peer: new URL("./subjects/peer.ts", import.meta.url),
  ...FLOORS,
} as const;

export type Subject = keyof typeof SUBJECTS;
