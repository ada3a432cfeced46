import { type OutboxEvent, type OutboxStreamEvent, publishOutbox, type SendEvents } from "lambda-once/writes";
import { describe, expect, it } from "vitest";

const eventOf = (id: string, data?: unknown): OutboxEvent => ({ id, type: "T", time: 1, data });
const record = (id: string, text = JSON.stringify(eventOf(id)), eventName = "INSERT") => ({
  eventName,
  dynamodb: {
    SequenceNumber: `s-${id}`,
    Keys: { id: { S: `lambda-once:event#${id}` } },
    NewImage: { id: { S: `lambda-once:event#${id}` }, outbox: { S: text } },
  },
});
const stream = (...Records: OutboxStreamEvent["Records"][number][]): OutboxStreamEvent => ({ Records });
const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at));

/** Sends all but those that are named, and says what came in which request. */
function sender(failing: readonly string[] = [], throwing: readonly string[] = []) {
  const requests: string[][] = [];
  const send: SendEvents = async (events) => {
    const all = events.map(({ id }) => id);
    requests.push(all);
    if (all.some((id) => throwing.includes(id))) throw new Error("too large");
    return all.filter((id) => failing.includes(id));
  };
  return { requests, send };
}

describe("publishOutbox()", () => {
  it("sends ten at a time, in order", async () => {
    const { send, requests } = sender();
    const answer = await publishOutbox({ send })(stream(...ids(23).map((id) => record(id))));
    expect(answer).toStrictEqual({ batchItemFailures: [] });
    expect(requests.map((all) => all.length)).toStrictEqual([10, 10, 3]);
    expect(requests.flat()).toStrictEqual(ids(23));
  });

  it("passes over whatever is no new outbox item", async () => {
    const { send, requests } = sender();
    const entity = { eventName: "INSERT", dynamodb: { SequenceNumber: "1", NewImage: { id: { S: "o" } } } };
    const others = [
      entity,
      record("1", undefined, "MODIFY"),
      record("2", undefined, "REMOVE"),
      { eventName: "INSERT" },
    ];
    expect(await publishOutbox({ send })(stream(...others, record("3")))).toStrictEqual({ batchItemFailures: [] });
    expect(requests).toStrictEqual([["3"]]);
    expect(await publishOutbox({ send })(stream())).toStrictEqual({ batchItemFailures: [] });
  });

  it("is not taken in by an entity that looks like an event", async () => {
    const { send, requests } = sender();
    const { NewImage, SequenceNumber } = record("1").dynamodb;
    const forged = { eventName: "INSERT", dynamodb: { SequenceNumber, Keys: { id: { S: "o-1" } }, NewImage } };
    expect(await publishOutbox({ send })(stream(forged))).toStrictEqual({ batchItemFailures: [] });
    expect(requests).toStrictEqual([]);
  });

  it("reports the first that was not taken, and sends nothing after its request", async () => {
    const { send, requests } = sender(["14", "12"]);
    const answer = await publishOutbox({ send })(stream(...ids(30).map((id) => record(id))));
    expect(answer).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "s-12" }] });
    expect(requests).toHaveLength(2);
  });

  it("sends one by one where a request fails as a whole, up to the one that spoils it", async () => {
    const { send, requests } = sender([], ["2"]);
    const answer = await publishOutbox({ send })(stream(...ids(4).map((id) => record(id))));
    expect(answer).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "s-2" }] });
    expect(requests).toStrictEqual([ids(4), ["0"], ["1"], ["2"]]);
  });

  it("keeps requests below what SQS and EventBridge take", async () => {
    const { send, requests } = sender();
    const large = (id: string) => record(id, JSON.stringify(eventOf(id, "x".repeat(90_000))));
    await publishOutbox({ send })(stream(large("1"), large("2"), large("3"), record("4"), large("5")));
    expect(requests).toStrictEqual([
      ["1", "2"],
      ["3", "4", "5"],
    ]);
  });

  it.each([
    ["not JSON", "{"],
    ["no event", '{"id":1}'],
    ["null", "null"],
  ])("reports an item that is %s after all before it were sent", async (_, text) => {
    const { send, requests } = sender();
    const told: unknown[] = [];
    const publish = publishOutbox({ send, onError: (error, event) => told.push([String(error), event]) });
    const answer = await publish(stream(record("1"), record("2", text), record("3")));
    expect(answer).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "s-2" }] });
    expect(requests).toStrictEqual([["1"]]);
    expect(told).toStrictEqual([["TypeError: the outbox item cannot be read as an event", undefined]]);
  });

  it("tells why an event was not sent, whatever the one who is told does", async () => {
    const told: unknown[] = [];
    const onError = (error: unknown, event: OutboxEvent | undefined) => {
      told.push([String(error), event?.id]);
      throw new Error("from onError");
    };
    const refused = publishOutbox({ send: sender(["1"]).send, onError });
    const thrown = publishOutbox({ send: sender([], ["1"]).send, onError });
    expect(await refused(stream(record("1")))).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "s-1" }] });
    expect(await thrown(stream(record("1")))).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "s-1" }] });
    expect(told).toStrictEqual([
      ["Error: the event was not taken", "1"],
      ["Error: too large", "1"],
    ]);
  });

  it("refuses options that cannot be", () => {
    expect(() => publishOutbox({} as never)).toThrow("publishOutbox(): send is undefined; allowed is a function");
    expect(() => publishOutbox({ send: sender().send, queue: 1 } as never)).toThrow("has no option 'queue'");
    expect(() => publishOutbox({ send: sender().send, onError: 1 } as never)).toThrow("onError is 1");
  });

  // Seen by a reviewer: on a stream without new images all events were lost in silence.
  it("reports an event whose image is not in the stream", async () => {
    const told: unknown[] = [];
    const publish = publishOutbox({ send: sender().send, onError: (error) => told.push(String(error)) });
    const dynamodb = { SequenceNumber: "1", Keys: { id: { S: "lambda-once:event#a" } } };
    expect(await publish(stream({ eventName: "INSERT", dynamodb }))).toStrictEqual({
      batchItemFailures: [{ itemIdentifier: "1" }],
    });
    expect(told).toStrictEqual(["TypeError: the outbox item cannot be read as an event"]);
  });

  // Seen by a reviewer: whoever could choose a sort key could forge an event.
  it("sends nothing for an entity whose sort key looks like an event's", async () => {
    const { send, requests } = sender();
    const Keys = { pk: { S: "user-1" }, sk: { S: "lambda-once:event#x" } };
    const NewImage = { outbox: { S: '{"id":"forged","type":"T","time":1}' } };
    const forged = { eventName: "INSERT", dynamodb: { SequenceNumber: "1", Keys, NewImage } };
    const inPartition = { ...forged, dynamodb: { ...forged.dynamodb, Keys: { ...Keys, pk: { S: "event" } } } };
    const event = {
      ...record("a"),
      dynamodb: { ...record("a").dynamodb, Keys: { pk: { S: "lambda-once:event#a" }, sk: { S: "lambda-once:event" } } },
    };
    expect(await publishOutbox({ send })(stream(forged, inPartition, event))).toStrictEqual({ batchItemFailures: [] });
    expect(requests).toStrictEqual([["a"]]);
  });
});
