import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { kindOf } from "../core/plain.ts";
import { isReserved, reservedId } from "./key.ts";
import { refuse } from "./options.ts";
import { OUTBOX, type OutboxEvent } from "./outbox.ts";

/** Of an item in DynamoDB's own JSON, as far as it is read here. */
interface StringsOnly {
  readonly [name: string]: { readonly S?: string | undefined };
}

/** What a table's stream hands to a Lambda, as far as it is read here: `DynamoDBStreamEvent` of `aws-lambda` fits. */
export interface OutboxStreamEvent {
  readonly Records: readonly {
    readonly eventName?: string | undefined;
    readonly dynamodb?:
      | {
          readonly SequenceNumber?: string | undefined;
          readonly Keys?: StringsOnly | undefined;
          readonly NewImage?: StringsOnly | undefined;
        }
      | undefined;
  }[];
}

/** Where the stream goes on: from the first of these. None: from the batch's end. */
export interface OutboxStreamResponse {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

/** Sends up to ten events and answers the ids of those that were not taken; throws where none was. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that answers nothing has sent all
export type SendEvents = (events: readonly OutboxEvent[]) => Promise<readonly string[] | void>;

export interface PublishOptions {
  /** `toEventBridge()`, `toSqs()`, or a function of one's own. */
  readonly send: SendEvents;
  /** Told of what could not be sent, which the stream hands over again; what it throws is swallowed. */
  readonly onError?: ((error: unknown, event: OutboxEvent | undefined) => void) | undefined;
}

/** The most that SQS and EventBridge take at once. */
const MOST_EVENTS = 10;
/** Below their limit of 256 KiB, with room for what goes around an event. */
const MOST_BYTES = 200 * 1024;

interface Queued {
  readonly sequence: string;
  /** `undefined`: the item cannot be read as an event. */
  readonly event: OutboxEvent | undefined;
  readonly bytes: number;
}

/**
 * A handler for the stream of a table with `outbox()` items: sends each new event at least once, in the stream's order.
 * What could not be sent is reported, and the stream hands it and all after it over again; receivers tell an event that
 * comes again by its id.
 *
 * The event source mapping needs `ReportBatchItemFailures`, the stream new images.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used
 * @example
 * const handler = publishOutbox({ send: async (events) => console.log(events.map(({ id }) => id)) });
 */
export function publishOutbox(options: PublishOptions): (event: OutboxStreamEvent) => Promise<OutboxStreamResponse> {
  const BY = "publishOutbox()";
  checkNames(BY, options, ["send", "onError"]);
  const { send, onError } = options;
  if (typeof send !== "function") refuse(BY, "send", kindOf(send), "a function that sends events");
  if (onError !== undefined && typeof onError !== "function") refuse(BY, "onError", show(onError), "a function");

  const tell = (error: unknown, event: OutboxEvent | undefined): void => {
    // Whoever is told must not decide what is sent.
    void (async () => onError?.(error, event))().catch(() => {});
  };

  /** The first that was not sent. */
  async function firstFailure(batch: readonly Queued[]): Promise<Queued | undefined> {
    const unreadable = batch.find(({ event }) => event === undefined);
    if (unreadable !== undefined) {
      tell(new TypeError("the outbox item cannot be read as an event"), undefined);
      return unreadable;
    }
    const events = batch.map(({ event }) => event as OutboxEvent);
    try {
      const failed = (await send(events)) ?? [];
      const first = batch.find(({ event }) => failed.includes((event as OutboxEvent).id));
      if (first !== undefined) tell(new Error("the event was not taken"), first.event);
      return first;
    } catch (error) {
      if (batch.length > 1) return oneByOne(batch);
      tell(error, events[0]);
      return batch[0];
    }
  }

  /** One event may have spoilt it for all: whatever stands before it goes out. */
  async function oneByOne(batch: readonly Queued[]): Promise<Queued | undefined> {
    for (const queued of batch) {
      const failed = await firstFailure([queued]);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  return async function publishOutbox(event) {
    for (const batch of batchesOf(event.Records.flatMap(queuedIn))) {
      const failed = await firstFailure(batch);
      if (failed !== undefined) return { batchItemFailures: [{ itemIdentifier: failed.sequence }] };
    }
    return { batchItemFailures: [] };
  };
}

/**
 * A new item of an outbox; whatever else the stream tells is passed over. Its key says what it is: an entity's attribute
 * of the same name, which a stranger may have filled, makes no event.
 */
function queuedIn({ eventName, dynamodb }: OutboxStreamEvent["Records"][number]): Queued[] {
  const keys = Object.values(dynamodb?.Keys ?? {}).map(({ S }) => S);
  const isEvent = keys.every(isReserved) && keys.some((key) => key?.startsWith(reservedId("event", "")));
  if (eventName !== "INSERT" || !isEvent) return [];
  const text = dynamodb?.NewImage?.[OUTBOX]?.S ?? "";
  return [{ sequence: dynamodb?.SequenceNumber ?? "", event: parsed(text), bytes: Buffer.byteLength(text) }];
}

function parsed(text: string): OutboxEvent | undefined {
  try {
    const event = JSON.parse(text) as Partial<OutboxEvent> | null;
    const whole = typeof event?.id === "string" && typeof event.type === "string" && typeof event.time === "number";
    return whole ? (event as OutboxEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** In order; what cannot be read stands alone, so that all before it goes out. */
function batchesOf(queued: readonly Queued[]): Queued[][] {
  const batches: Queued[][] = [];
  let bytes = 0;
  for (const one of queued) {
    const last = batches.at(-1);
    const fits = last !== undefined && last.length < MOST_EVENTS && bytes + one.bytes <= MOST_BYTES;
    if (fits && one.event !== undefined && last[0]?.event !== undefined) {
      last.push(one);
      bytes += one.bytes;
    } else {
      batches.push([one]);
      bytes = one.bytes;
    }
  }
  return batches;
}
