/** How results become bytes. */

export { type JsonCodecOptions, json } from "./codec/json.ts";
