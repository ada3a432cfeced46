import type * as powertools from "@aws-lambda-powertools/batch";
import type * as awsLambda from "aws-lambda";
import type * as root from "lambda-once";
import type * as batch from "lambda-once/batch";
import type * as clientEntry from "lambda-once/client";
import type * as codecs from "lambda-once/codecs";
import type * as dynamodb from "lambda-once/dynamodb";
import type * as guards from "lambda-once/guards";
import type * as httpEntry from "lambda-once/http";
import type * as middyEntry from "lambda-once/middy";
import type * as testing from "lambda-once/testing";
import type * as webhooks from "lambda-once/webhooks";
import type * as writes from "lambda-once/writes";
import type * as canonical from "../src/key/canonical.ts";
import type * as hash from "../src/key/hash.ts";
import type * as identity from "../src/key/identity.ts";
import type * as jsonText from "../src/key/json-text.ts";
import type * as selection from "../src/key/selection.ts";
import type * as ids from "../src/key/stable-id.ts";

/** What the examples take from their surroundings. */
declare global {
  const idempotent: typeof root.idempotent;
  const currentClaim: typeof root.currentClaim;
  const memoryStore: typeof root.memoryStore;
  const isIdempotencyError: typeof root.isIdempotencyError;
  const IdempotencyOutcomeUnknownError: typeof root.IdempotencyOutcomeUnknownError;
  type Binding<Args extends readonly unknown[], Result> = root.Binding<Args, Result>;
  const idempotentFetch: typeof clientEntry.idempotentFetch;
  const json: typeof codecs.json;
  const dynamoDBStore: typeof dynamodb.dynamoDBStore;
  const commit: typeof dynamodb.commit;
  const client: import("@aws-sdk/client-dynamodb").DynamoDBClient;
  const table: typeof writes.table;
  const putUnique: typeof writes.putUnique;
  const putIfVersion: typeof writes.putIfVersion;
  const updateIfVersion: typeof writes.updateIfVersion;
  const putIfChanged: typeof writes.putIfChanged;
  const transition: typeof writes.transition;
  const toMermaid: typeof writes.toMermaid;
  const etagOf: typeof writes.etagOf;
  const versionFrom: typeof writes.versionFrom;
  const outbox: typeof writes.outbox;
  const publishOutbox: typeof writes.publishOutbox;
  const toEventBridge: typeof writes.toEventBridge;
  const toSqs: typeof writes.toSqs;
  const idempotentBatch: typeof batch.idempotentBatch;
  const visibilityBy: typeof batch.visibilityBy;
  const idempotency: typeof middyEntry.idempotency;
  type WithClaim<Context> = middyEntry.WithClaim<Context>;
  const http: typeof httpEntry.http;
  type HttpEvent = httpEntry.HttpEvent;
  const jwtPrincipal: typeof httpEntry.jwtPrincipal;
  const authorizerPrincipal: typeof httpEntry.authorizerPrincipal;
  const apiKeyPrincipal: typeof httpEntry.apiKeyPrincipal;
  const iamPrincipal: typeof httpEntry.iamPrincipal;
  const firstWithin: typeof guards.firstWithin;
  const window: typeof guards.window;
  const signature: typeof webhooks.signature;
  const testingStore: typeof testing.testingStore;
  const useStore: typeof testing.useStore;
  const lambdaContext: typeof testing.lambdaContext;
  const issueToken: typeof guards.issueToken;
  const token: typeof guards.token;
  const sealOf: typeof hash.sealOf;
  const stableId: typeof ids.stableId;
  const secret: string;
  const canonicalJson: typeof canonical.canonicalJson;
  const recordId: typeof hash.recordId;
  const compilePart: typeof identity.compilePart;
  const partText: typeof identity.partText;
  const partsText: typeof identity.partsText;
  const parseJson: typeof jsonText.parseJson;
  const compileSelection: typeof selection.compileSelection;

  const stack: import("aws-cdk-lib").Stack;
  const store: root.IdempotencyStore;
  interface Order {
    readonly id: string;
    readonly tenant: string;
    readonly orderId: string;
    readonly amount: number;
  }
  type OrderStatus = "created" | "paid" | "shipped" | "cancelled";
  interface StoredOrder extends Order {
    readonly status: OrderStatus;
    readonly version: number;
  }
  const orders: writes.Table<StoredOrder, "id", "status", "version">;
  const storedOrder: StoredOrder;
  const machine: {
    readonly created: readonly ["paid", "cancelled"];
    readonly paid: readonly ["shipped"];
    readonly shipped: readonly [];
    readonly cancelled: readonly [];
  };
  const ifMatch: string | undefined;
  interface OrderEvent {
    readonly id: string;
    readonly tenant: string;
    readonly order: Order;
  }
  interface Receipt {
    readonly orderId: string;
    readonly chargeId?: string;
    readonly requestedBy?: string;
    readonly attempt?: number;
  }
  type Audit = string;
  type Context = awsLambda.Context;
  type SQSEvent = awsLambda.SQSEvent;
  type SQSRecord = awsLambda.SQSRecord;
  type KinesisRecord = batch.KinesisRecord;
  const EventType: typeof powertools.EventType;
  type BatchProcessor = powertools.BatchProcessor;
  const BatchProcessor: typeof powertools.BatchProcessor;
  const processPartialResponse: typeof powertools.processPartialResponse;
  const order: Order;
  const event: Order;
  const error: unknown;
  const chargeCard: (order: { orderId: string; amount: number }) => Promise<Receipt>;
  const createReport: () => Promise<Receipt>;
  const sendMail: (to: unknown) => Promise<string>;
  const rawBody: Uint8Array;
  const createReceipt: (event: unknown) => Promise<string>;
  const chargeOnce: (order: Order) => Promise<Receipt>;
  const createOrder: (order: Order) => Promise<Receipt>;
  const place: (order: Order) => Promise<Receipt>;
  const placeOrder: (order: Order) => Promise<Receipt>;
  const recordPayment: (message: { readonly body: string }) => Promise<Receipt>;
  const retryLater: (seconds: number) => Promise<Receipt>;
  const charge: ReturnType<typeof import("vitest").vi.fn>;
  const placeOrderByEvent: (event: { orderId: string; amount: number }, context: unknown) => Promise<Receipt>;
  const placeOrderOverHttp: (event: httpEntry.HttpEvent, context: unknown) => Promise<{ statusCode: number }>;
  const rolesOf: (event: httpEntry.HttpEvent) => Promise<readonly string[]>;
  const handler: (event: Order, context: unknown) => Promise<Receipt>;
  const provider: {
    find(id: string): Promise<Receipt | undefined>;
    charge(
      orderId: string,
      options: { signal: AbortSignal; idempotencyKey?: string },
    ): Promise<{ orderId: string; chargeId: string }>;
  };
  const SQS: typeof import("@aws-sdk/client-sqs").SQS;
  const SQSClient: typeof import("@aws-sdk/client-sqs").SQSClient;
  const SendMessageBatchCommand: typeof import("@aws-sdk/client-sqs").SendMessageBatchCommand;
  const EventBridgeClient: typeof import("@aws-sdk/client-eventbridge").EventBridgeClient;
  const PutEventsCommand: typeof import("@aws-sdk/client-eventbridge").PutEventsCommand;
  const middy: typeof import("@middy/core").default;
  const httpErrorHandler: typeof import("@middy/http-error-handler").default;
  const httpJsonBodyParser: typeof import("@middy/http-json-body-parser").default;
  const httpCors: typeof import("@middy/http-cors").default;
}
