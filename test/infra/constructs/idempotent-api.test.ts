import { CfnParameter, Duration } from "aws-cdk-lib";
import { Match } from "aws-cdk-lib/assertions";
import { TokenAuthorizer } from "aws-cdk-lib/aws-apigateway";
import { Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { IdempotentApi, type IdempotentApiProps, type IdempotentFunction, NodeFunction } from "lambda-once/cdk";
import { describe, expect, it } from "vitest";
import { aFunction, emptyStack, entry, only, templateOf } from "./kit.ts";

const METHOD = "AWS::ApiGateway::Method";

const withApi = (props: IdempotentApiProps, routes: (api: IdempotentApi, orders: IdempotentFunction) => void) =>
  templateOf((stack) => routes(new IdempotentApi(stack, "Api", props), aFunction(stack)));

const order = (api: IdempotentApi, orders: IdempotentFunction) =>
  api.addRoute("POST", "/orders", orders, { requireIdempotencyKey: true });

const refused = (props: IdempotentApiProps) => () => new IdempotentApi(emptyStack(), "Api", props);

describe("IdempotentApi", () => {
  it("requires the header Idempotency-Key on the routes that say so", () => {
    const template = withApi({}, (api, orders) => {
      order(api, orders);
      api.addRoute("GET", "/orders/{id}", orders);
    });
    template.hasResourceProperties(METHOD, {
      HttpMethod: "POST",
      RequestParameters: { "method.request.header.Idempotency-Key": true },
      RequestValidatorId: { Ref: Match.stringLikeRegexp("Validator") },
      Integration: { Type: "AWS_PROXY" },
    });
    template.hasResourceProperties(METHOD, { HttpMethod: "GET", RequestParameters: Match.absent() });
    expect(only(template, "AWS::ApiGateway::RequestValidator")).toMatchObject({ ValidateRequestParameters: true });
  });

  it("logs, traces and throttles its stage, and the log line holds neither key nor body", () => {
    const template = withApi({ logRetention: RetentionDays.ONE_WEEK }, order);
    const stage = only(template, "AWS::ApiGateway::Stage") as { AccessLogSetting: { Format: string } };
    expect(stage).toMatchObject({
      StageName: "prod",
      TracingEnabled: true,
      MethodSettings: [
        {
          HttpMethod: "*",
          ResourcePath: "/*",
          LoggingLevel: "ERROR",
          DataTraceEnabled: false,
          MetricsEnabled: true,
          ThrottlingRateLimit: 100,
          ThrottlingBurstLimit: 200,
        },
      ],
    });
    const format: Record<string, string> = JSON.parse(stage.AccessLogSetting.Format);
    expect(format).toMatchObject({ principal: "$context.authorizer.principalId", status: "$context.status" });
    expect(Object.values(format).filter((value) => /header|body|idempotency/i.test(value))).toEqual([]);
    template.hasResourceProperties("AWS::Logs::LogGroup", { RetentionInDays: 7 });
    expect(only(template, "AWS::ApiGateway::RestApi")).toMatchObject({
      EndpointConfiguration: { Types: ["REGIONAL"] },
    });
  });

  it("asks the authorizer on every route, where one is given", () => {
    const template = templateOf((stack) => {
      const handler = new NodeFunction(stack, "Authorizer", { entry });
      const api = new IdempotentApi(stack, "Api", { authorizer: new TokenAuthorizer(stack, "Token", { handler }) });
      const orders = aFunction(stack);
      order(api, orders);
      api.addRoute("GET", "/", orders);
    });
    template.resourceCountIs(METHOD, 2);
    template.allResourcesProperties(METHOD, { AuthorizationType: "CUSTOM" });
  });

  it("asks nobody on the routes that say so, and the authorizer on the others", () => {
    const template = templateOf((stack) => {
      const handler = new NodeFunction(stack, "Authorizer", { entry });
      const api = new IdempotentApi(stack, "Api", { authorizer: new TokenAuthorizer(stack, "Token", { handler }) });
      const orders = aFunction(stack);
      order(api, orders);
      const webhook = api.addRoute("POST", "/webhooks", orders, { authorizer: false });
      expect(webhook.node.path).toBe("Test/Api/Api/Default/webhooks/POST");
    });
    const methods = Object.entries(template.findResources(METHOD)).map(([id, { Properties }]) => [
      id.includes("webhooks"),
      Properties.AuthorizationType,
      Properties.AuthorizerId === undefined || Properties.AuthorizerId === "" ? "nobody" : "the authorizer",
    ]);
    expect(methods.sort()).toEqual([
      [false, "CUSTOM", "the authorizer"],
      [true, "NONE", "nobody"],
    ]);
  });

  it("is open to all where no authorizer is given, whatever its routes say", () => {
    const template = withApi({}, (api, orders) => {
      api.addRoute("POST", "/one", orders);
      api.addRoute("POST", "/other", orders, { authorizer: false });
    });
    template.allResourcesProperties(METHOD, { AuthorizationType: "NONE" });
  });

  it("is silent on CORS unless an origin is given", () => {
    const template = withApi({}, order);
    template.resourceCountIs("AWS::ApiGateway::GatewayResponse", 0);
    template.resourceCountIs(METHOD, 1);
  });

  it("answers preflights and its own errors so that a browser can send the key and read the answer", () => {
    const template = withApi({ corsOrigin: "https://shop.example" }, order);
    template.hasResourceProperties(METHOD, {
      HttpMethod: "OPTIONS",
      ResourceId: { Ref: Match.stringLikeRegexp("orders") },
      Integration: {
        IntegrationResponses: [
          {
            ResponseParameters: {
              "method.response.header.Access-Control-Allow-Headers":
                "'Authorization,Content-Type,Idempotency-Key,Idempotency-Retry,If-Match,Repeatability-First-Sent'",
              "method.response.header.Access-Control-Allow-Origin": "'https://shop.example'",
              "method.response.header.Access-Control-Expose-Headers": Match.stringLikeRegexp(
                "Idempotent-Replayed.*Date,ETag,Link",
              ),
            },
          },
        ],
      },
    });
    for (const ResponseType of ["DEFAULT_4XX", "DEFAULT_5XX"]) {
      template.hasResourceProperties("AWS::ApiGateway::GatewayResponse", {
        ResponseType,
        ResponseParameters: {
          "gatewayresponse.header.Access-Control-Allow-Origin": "'https://shop.example'",
          "gatewayresponse.header.Access-Control-Expose-Headers": Match.stringLikeRegexp("Idempotent-Replayed"),
        },
      });
    }
  });

  // Seen by a reviewer: only what is known at synthesis was taken.
  it("takes an origin whose host is known at deployment", () => {
    const template = templateOf((stack) => {
      const host = new CfnParameter(stack, "Host").valueAsString;
      order(new IdempotentApi(stack, "Api", { corsOrigin: `https://${host}` }), aFunction(stack));
      expect(() => new IdempotentApi(stack, "Other", { corsOrigin: host })).not.toThrow();
    });
    template.hasResourceProperties(METHOD, { HttpMethod: "OPTIONS" });
  });

  it("leaves the account's logging role alone where it is told to", () => {
    withApi({}, order).resourceCountIs("AWS::ApiGateway::Account", 1);
    withApi({ cloudWatchRole: false }, order).resourceCountIs("AWS::ApiGateway::Account", 0);
  });

  it("refuses a function that may outlive API Gateway's patience", () => {
    const stack = emptyStack();
    const api = new IdempotentApi(stack, "Api");
    expect(() => order(api, aFunction(stack, { timeout: Duration.seconds(29) }))).toThrow(
      "Test/Api: timeout of Handler is 29 s; allowed for POST /orders is less than 29 s",
    );
    const bare = new LambdaFunction(stack, "Bare", {
      runtime: Runtime.NODEJS_24_X,
      handler: "index.handler",
      code: Code.fromInline("exports.handler = () => {}"),
    });
    expect(() => api.addRoute("GET", "/bare", bare)).toThrow("timeout of Bare is not given");
    const quick = new NodeFunction(stack, "Quick", { entry, timeout: Duration.seconds(28) });
    expect(() => api.addRoute("GET", "/quick", quick)).not.toThrow();
  });

  it.each(["orders", "/orders/", "//orders", "/orders?id=1", "/{all+}/id", ""])("refuses the path '%s'", (path) => {
    const stack = emptyStack();
    const api = new IdempotentApi(stack, "Api");
    expect(() => api.addRoute("GET", path, aFunction(stack))).toThrow(
      `path is '${path}'; allowed is a path from its first slash`,
    );
  });

  it("refuses a method that is none", () => {
    const stack = emptyStack();
    const api = new IdempotentApi(stack, "Api");
    expect(() => api.addRoute("post" as "POST", "/orders", aFunction(stack))).toThrow(
      "method is 'post'; allowed are GET, HEAD, POST, PUT, PATCH, DELETE",
    );
  });

  it.each<[IdempotentApiProps, string]>([
    [{ throttlingRateLimit: 0 }, "throttlingRateLimit is 0; allowed are the whole numbers from 1 to 10000"],
    [{ throttlingBurstLimit: 5_001 }, "throttlingBurstLimit is 5001; allowed are the whole numbers from 1 to 5000"],
    [{ corsOrigin: "https://shop.example/" }, "corsOrigin is 'https://shop.example/'; allowed is '*' or one origin"],
    [{ corsOrigin: "shop.example" }, "corsOrigin is 'shop.example'"],
    // Seen by a reviewer: no browser ever sends one of these as its origin.
    [{ corsOrigin: "https://shop.example?x=1" }, "corsOrigin is 'https://shop.example?x=1'"],
    [{ corsOrigin: "https://shop.example#a" }, "corsOrigin is 'https://shop.example#a'"],
    [{ corsOrigin: "https://Shop.Example" }, "in small letters, such as 'https://shop.example'"],
    [{ corsOrigin: "https://shop.example:443" }, "one origin as browsers send it"],
    [{ corsOrigin: "https://a.example,https://b.example" }, "allowed is '*' or one origin as browsers send it"],
  ])("refuses %o", (props, sentence) => {
    expect(refused(props)).toThrow(sentence);
  });
});
