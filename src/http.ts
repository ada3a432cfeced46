/** The binding for API Gateway, function URLs and load balancers. */

export type { HttpEvent } from "./lambda/http/event.ts";
export { type HttpBinding, http } from "./lambda/http/http.ts";
export type { HttpOptions } from "./lambda/http/options.ts";
export { apiKeyPrincipal, authorizerPrincipal, iamPrincipal, jwtPrincipal } from "./lambda/http/principals.ts";
export type { HttpResponse } from "./lambda/http/sendable.ts";
