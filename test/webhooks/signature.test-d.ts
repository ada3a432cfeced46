import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from "aws-lambda";
import { http } from "../../src/http.ts";
import { idempotent, memoryStore } from "../../src/index.ts";
import { type Delivery, type SignatureOptions, signature, type WithDelivery } from "../../src/webhooks.ts";

const key = signature({ secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] });
const store = memoryStore();

// The events of @types/aws-lambda fit, as the key of http() and as the key of an operation.
http<APIGatewayProxyEvent>({ principal: false, key });
http<APIGatewayProxyEventV2>({ principal: false, key });
http<LambdaFunctionURLEvent>({ principal: false, key });
http<ALBEvent>({ principal: false, key });
idempotent(async (_event: APIGatewayProxyEventV2) => "done", { store, operation: "webhook", key });

// Bytes and headers give a delivery, an event its id.
const delivery: Delivery = key(new Uint8Array(), new Headers());
const id: string = key({ headers: { "webhook-id": "1" }, body: "" });
key("text", { "webhook-id": ["1"], "webhook-signature": undefined });
// @ts-expect-error bytes go with headers
const missing: Delivery = key("text");

// Secrets are a list of at least one.
// @ts-expect-error none
signature({ secrets: [] });
// @ts-expect-error no list
signature({ secrets: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
// @ts-expect-error no such scheme
const scheme: SignatureOptions["scheme"] = "md5";
// @ts-expect-error no such digest
signature({ secrets: ["a"], scheme: { timestamp: "t", signature: "s", algorithm: "sha1" } });

// A delivery is not changed.
// @ts-expect-error readonly
delivery.id = "2";
const context = {} as WithDelivery<{ readonly awsRequestId: string }>;
const both: readonly [string, string, number] = [context.awsRequestId, context.delivery.id, context.delivery.timestamp];

export { both, id, missing, scheme };
