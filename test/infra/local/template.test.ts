import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAssembly } from "../../../infra/local/assembly.ts";
import { readTemplate } from "../../../infra/local/template.ts";
import { fn, newFolder, type Resources, shop, writeAssembly } from "./fixture.ts";

const places = {
  region: "eu-central-1",
  account: "000000000000",
  queueUrl: (name: string) => `http://sqs.local/${name}`,
  apiUrl: (id: string) => `http://127.0.0.1:3000/${id}`,
};
const read = (resources?: Resources, outputs?: object) =>
  readTemplate(readAssembly(writeAssembly(resources, outputs)), places);
const queue = (properties: object) =>
  read({ Queue: { Type: "AWS::SQS::Queue", Properties: properties } }, {}).queues[0];

describe("the model of a template", () => {
  it("has tables, queues, functions, mappings and routes with all references resolved", () => {
    const model = read();
    expect(model.tables).toMatchObject([{ id: "Table", name: "Shop-Table", expiry: "expiresAt" }]);
    expect(model.queues[0]?.attributes).toEqual({
      VisibilityTimeout: "60",
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: "arn:aws:sqs:eu-central-1:000000000000:Shop-DeadLetters",
        maxReceiveCount: 2,
      }),
    });
    expect(model.mappings.filter(({ id }) => id === "Mapping")).toMatchObject([
      {
        queueArn: "arn:aws:sqs:eu-central-1:000000000000:Shop-Queue",
        functionArn: "Shop-Consumer",
        batchSize: 10,
        window: 0,
        partialResponses: true,
      },
    ]);
    expect(model.functions[0]).toMatchObject({
      name: "Shop-Worker",
      timeout: 1,
      memory: 128,
      environment: {
        TABLE: "Shop-Table",
        QUEUE: "http://sqs.local/Shop-Queue",
        API: "http://127.0.0.1:3000/Api/prod/",
      },
    });
    expect(model.apis[0]?.routes).toContainEqual(
      expect.objectContaining({
        method: "POST",
        path: "/orders",
        authorizer: "Guard",
        required: [{ in: "header", name: "Idempotency-Key" }],
      }),
    );
    expect(model.outputs).toEqual({ QueueUrl: "http://sqs.local/Shop-Queue", TableName: "Shop-Table" });
    expect(model.idle).toEqual(["AWS::IAM::Role"]);
  });

  it("makes secrets up, and gives the same one wherever it is read", () => {
    const { secrets, functions } = read();
    const [{ text } = { text: "{}" }] = secrets;
    expect(JSON.parse(text)).toEqual({ user: "shop", password: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(functions[0]?.environment["PASSWORD"]).toBe(JSON.parse(text).password);
  });

  it("names every resource that cannot run here, and leaves none out in silence", () => {
    const resources = {
      Topic: { Type: "AWS::SNS::Topic" },
      Rule: { Type: "AWS::Events::Rule", Properties: {} },
      Python: fn("index", { Runtime: "python3.13" }),
      Layered: fn("index", { Layers: ["arn:aws:lambda:eu-central-1:1:layer:powertools:1"] }),
      Elsewhere: fn("index", { Code: { S3Key: "not-there.zip" } }),
    };
    expect(() => read(resources)).toThrow(
      [
        "The stack Shop has what cannot run on this machine:",
        "- Topic is an AWS::SNS::Topic",
        "- Rule is an AWS::Events::Rule",
        "- Python: its runtime is python3.13, and only nodejs runs here",
        "- Layered: it has the layer arn:aws:lambda:eu-central-1:1:layer:powertools:1; only :layer:AWS-Parameters-and-Secrets-Lambda-Extension runs here",
        '- Elsewhere: its code is no asset of cdk.out: {"S3Key":"not-there.zip"}',
      ].join("\n"),
    );
  });

  it.each([
    ["a method that IAM guards", { AuthorizationType: "AWS_IAM" }, "DoWhat: /do/{what} is guarded by AWS_IAM"],
    ["a method that wants an API key", { ApiKeyRequired: true }, "DoWhat: /do/{what} wants an API key"],
    [
      "an integration that is no function",
      { Integration: { Type: "HTTP_PROXY" } },
      "an integration of type HTTP_PROXY",
    ],
  ])("refuses %s", (_, properties, message) => {
    const { DoWhat } = shop;
    const changed = {
      ...shop,
      DoWhat: { ...DoWhat, Type: DoWhat?.Type ?? "", Properties: { ...(DoWhat?.Properties as object), ...properties } },
    };
    expect(() => read(changed)).toThrow(message);
  });

  it("refuses a source that is not a queue, and filters", () => {
    const mapping = (properties: object) => () =>
      read({ Mapping: { Type: "AWS::Lambda::EventSourceMapping", Properties: { FunctionName: "f", ...properties } } });
    expect(mapping({ EventSourceArn: "arn:aws:kinesis:eu-central-1:1:stream/s" })).toThrow(
      "Mapping: its source is arn:aws:kinesis:eu-central-1:1:stream/s, and only a queue feeds a function here",
    );
    expect(mapping({ EventSourceArn: "arn:aws:sqs:eu-central-1:1:q", FilterCriteria: {} })).toThrow(
      "it has FilterCriteria",
    );
  });

  it.each([
    ["Fn::Sub with a pseudo parameter", { "Fn::Sub": "${AWS::StackName}-${!literal}" }, "Shop-${literal}"],
    [
      "Fn::Sub with names of its own",
      { "Fn::Sub": ["${a}-${Queue.Arn}", { a: "x" }] },
      "x-arn:aws:sqs:eu-central-1:000000000000:Shop-Queue",
    ],
    ["Fn::Select of Fn::Split", { "Fn::Select": [1, { "Fn::Split": [":", "a:b:c"] }] }, "b"],
    ["Fn::GetAtt as text", { "Fn::GetAtt": "Queue.QueueName" }, "Shop-Queue"],
    ["Fn::If", { "Fn::If": ["Always", "yes", "no"] }, "no"],
  ])("knows %s", (_, value, expected) => {
    const model = read({ Queue: { Type: "AWS::SQS::Queue" } }, { Output: { Value: value } });
    expect(model.outputs["Output"]).toBe(expected);
  });

  it.each([
    [{ "Fn::ImportValue": "x" }, "the template uses Fn::ImportValue, which the local stack does not know"],
    [{ Ref: "Nobody" }, "the template refers to Nobody, which it does not have"],
    ["{{resolve:ssm:/shop/key}}", "the template reads {{resolve:ssm:/shop/key}}, which it does not make itself"],
  ])("refuses %j", (value, message) => {
    expect(() => read({}, { Output: { Value: value } })).toThrow(message);
  });

  it("gives a FIFO queue without a name one that ends in .fifo", () => {
    expect(queue({ FifoQueue: true, ContentBasedDeduplication: true })).toMatchObject({
      name: "Shop-Queue.fifo",
      attributes: { FifoQueue: "true", ContentBasedDeduplication: "true" },
    });
  });
});

describe("reading cdk.out", () => {
  it("says in one sentence that there is none", () => {
    expect(() => readAssembly("/no/such/folder")).toThrow(
      "there is no cdk.out at /no/such/folder: write it with `npx cdk synth --quiet`",
    );
  });

  it("wants the stack to be named where there are several, and knows their names", () => {
    const folder = newFolder();
    const stack = (templateFile: string) => ({ type: "aws:cloudformation:stack", properties: { templateFile } });
    const artifacts = { One: stack("one.json"), Two: stack("two.json") };
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ artifacts }));
    writeFileSync(join(folder, "two.json"), JSON.stringify({ Resources: {} }));
    expect(() => readAssembly(folder)).toThrow(`${folder} has several stacks, name the one to run: One, Two`);
    expect(() => readAssembly(folder, "Three")).toThrow(`${folder} has no stack Three; it has: One, Two`);
    expect(readAssembly(folder, "Two").stackName).toBe("Two");
  });
});
