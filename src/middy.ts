/** The middleware for Middy 6 and 7. */

export { idempotency } from "./lambda/middleware.ts";
