/** The middleware for Middy 6 and 7. */

export { type IdempotencyMiddleware, idempotency, type MiddyRequest, type WithClaim } from "./lambda/middleware.ts";
