import { type Answer, answerOf, type Case, same } from "./case.ts";
import { contextWith } from "./context.ts";

/** A request behind an API Gateway REST API, whose header names come as the client writes them. */
const post = (headers: Readonly<Record<string, string>>): unknown => ({
  resource: "/orders",
  path: "/orders",
  httpMethod: "POST",
  headers: { "Content-Type": "application/json", ...headers },
  multiValueHeaders: null,
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  body: '{"orderId":"order-1"}',
  isBase64Encoded: false,
  requestContext: { stage: "prod", httpMethod: "POST", path: "/prod/orders", identity: {} },
});

const statusOf = (answer: Answer | undefined): unknown =>
  answer !== undefined && "value" in answer
    ? (answer.value as { readonly statusCode?: unknown }).statusCode
    : undefined;

const bodyOf = (answer: Answer | undefined): Answer => ({
  value: answer !== undefined && "value" in answer ? (answer.value as { readonly body?: unknown }).body : undefined,
});

const headerCase: Case = {
  id: "P16",
  title: "the key in a header, written in another letter case by the second request",
  expected: "1 run; the same answer",
  async run(world) {
    const handler = world.wrap((_, run) => ({ statusCode: 201, body: `of run ${run}` }), {
      overHttp: true,
      key: 'headers."Idempotency-Key"',
    });
    const first = await answerOf(handler(post({ "Idempotency-Key": "key-1" }), contextWith()));
    const second = await answerOf(handler(post({ "idempotency-key": "key-1" }), contextWith()));
    return { answers: { first, second } };
  },
  holds: ({ runs, answers: { first, second } }) =>
    runs === 1 && statusOf(second) === 201 && same(bodyOf(first), bodyOf(second)),
};

const unavailable: Case = {
  id: "P20",
  title: "the handler answers 503; the client sends again",
  expected: "2 runs; the second answer is 201",
  async run(world) {
    const handler = world.wrap((_, run) => ({ statusCode: run === 1 ? 503 : 201, body: `of run ${run}` }), {
      overHttp: true,
      key: 'headers."Idempotency-Key"',
    });
    const first = await answerOf(handler(post({ "Idempotency-Key": "key-1" }), contextWith()));
    const second = await answerOf(handler(post({ "Idempotency-Key": "key-1" }), contextWith()));
    return { answers: { first, second } };
  },
  holds: ({ runs, answers: { first, second } }) => runs === 2 && statusOf(first) === 503 && statusOf(second) === 201,
};

/** Cases that only HTTP has. */
export const httpCases: readonly Case[] = [headerCase, unavailable];
