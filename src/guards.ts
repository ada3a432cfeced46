/** One-time tokens, guards against duplicates that keep no result, and parts of keys. */

export { type FirstWithin, type FirstWithinOptions, firstWithin } from "./guards/first-within.ts";
export { type IssueTokenOptions, issueToken } from "./guards/issue-token.ts";
export { type Token, type TokenOptions, token } from "./guards/token.ts";
export { type WindowLabel, window } from "./guards/window.ts";
