import { Token } from "aws-cdk-lib";
import {
  AccessLogField,
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  type IAuthorizer,
  LambdaIntegration,
  LogGroupLogDestination,
  type Method,
  MethodLoggingLevel,
  type RequestValidator,
  ResponseType,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { checkWhole, refuse, secondsOf } from "./checks.ts";

export interface IdempotentApiProps {
  /** Who says who the caller is, on every route. Default: nobody, the routes are open to all. */
  readonly authorizer?: IAuthorizer;
  /** Requests per second, over all callers. 1 to 10000. Default: 100. */
  readonly throttlingRateLimit?: number;
  /** Requests at once, over all callers. 1 to 5000. Default: 200. */
  readonly throttlingBurstLimit?: number;
  /** The origin whose pages may call the API, such as `https://shop.example`, or `*`. Default: none, no CORS. */
  readonly corsOrigin?: string;
  /** How long the access log keeps a line. Default: one month. */
  readonly logRetention?: RetentionDays;
  /** Whether the stack sets the role by which API Gateway writes logs, one for the whole account and Region. Default: true. */
  readonly cloudWatchRole?: boolean;
}

/** What a route asks of its callers. */
export interface RouteOptions {
  /** A request without the header `Idempotency-Key` is answered 400 before any function runs. Default: false. */
  readonly requireIdempotencyKey?: boolean;
  /** Whether the API's authorizer is asked. `false` for callers who prove themselves otherwise, such as signed webhooks. Default: true. */
  readonly authorizer?: boolean;
}

/** In the place of the API's authorizer, which every method would ask without it. */
const NOBODY = { authorizerId: "", authorizationType: AuthorizationType.NONE };

/** API Gateway answers 504 then, while the function goes on and nobody hears what it says. */
const API_TIMEOUT = 29;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** What a browser may send and read: all that `http()` and `idempotentFetch()` look at. */
const REQUEST_HEADERS = [
  ...["Authorization", "Content-Type", "Idempotency-Key"],
  ...["Idempotency-Retry", "If-Match", "Repeatability-First-Sent"],
];
const RESPONSE_HEADERS = [
  ...["Idempotent-Replayed", "Idempotency-Status", "Repeatability-Result"],
  ...["Retry-After", "Date", "ETag", "Link", "Location"],
];

/** One line a request. It names the caller, never the key or anything of the bodies. */
const ACCESS_LOG = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTime(),
    ip: AccessLogField.contextIdentitySourceIp(),
    principal: AccessLogField.contextAuthorizerPrincipalId(),
    method: AccessLogField.contextHttpMethod(),
    route: AccessLogField.contextResourcePath(),
    status: AccessLogField.contextStatus(),
    error: AccessLogField.contextErrorResponseType(),
    milliseconds: AccessLogField.contextResponseLatency(),
    integrationMilliseconds: AccessLogField.contextIntegrationLatency(),
    bytes: AccessLogField.contextResponseLength(),
    trace: AccessLogField.contextXrayTraceId(),
  }),
);

/**
 * A REST API (the kind of API Gateway that can require a header) in front of idempotent functions: access logs,
 * throttling, tracing, an authorizer where one is given.
 *
 * With `corsOrigin`, preflights and API Gateway's own errors carry the CORS headers. A function sets
 * `Access-Control-Allow-Origin` and `Access-Control-Expose-Headers` on its answers itself.
 *
 * @example
 * import { IdempotencyTable, IdempotentApi, IdempotentFunction } from "lambda-once/cdk";
 *
 * const table = new IdempotencyTable(stack, "Idempotency");
 * const orders = new IdempotentFunction(stack, "Orders", { entry: "src/orders.ts", table });
 * const api = new IdempotentApi(stack, "Api");
 * api.addRoute("POST", "/orders", orders, { requireIdempotencyKey: true });
 */
export class IdempotentApi extends Construct {
  readonly api: RestApi;
  /** Of the stage, with a slash at its end. */
  readonly url: string;
  readonly #validator: RequestValidator;

  constructor(scope: Construct, id: string, props: IdempotentApiProps = {}) {
    super(scope, id);
    const { authorizer, throttlingRateLimit = 100, throttlingBurstLimit = 200, corsOrigin } = props;
    checkWhole(this, "throttlingRateLimit", throttlingRateLimit, [1, 10_000]);
    checkWhole(this, "throttlingBurstLimit", throttlingBurstLimit, [1, 5_000]);
    if (corsOrigin !== undefined && corsOrigin !== "*" && !isOrigin(corsOrigin)) {
      refuse(
        this,
        `corsOrigin is '${corsOrigin}'; allowed is '*' or one origin as browsers send it, without a path and in small ` +
          "letters, such as 'https://shop.example'",
      );
    }

    const logs = new LogGroup(this, "AccessLogs", { retention: props.logRetention ?? RetentionDays.ONE_MONTH });
    this.api = new RestApi(this, "Api", {
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: props.cloudWatchRole ?? true,
      deployOptions: {
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: ACCESS_LOG,
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        metricsEnabled: true,
        tracingEnabled: true,
        throttlingRateLimit,
        throttlingBurstLimit,
      },
      ...(authorizer !== undefined && { defaultMethodOptions: { authorizer } }),
      ...(corsOrigin !== undefined && {
        defaultCorsPreflightOptions: {
          allowOrigins: [corsOrigin],
          allowMethods: [...METHODS],
          allowHeaders: REQUEST_HEADERS,
          exposeHeaders: RESPONSE_HEADERS,
        },
      }),
    });
    this.url = this.api.url;
    // It checks bodies against a model, where a method has one, and required headers.
    this.#validator = this.api.addRequestValidator("Validator", {
      validateRequestParameters: true,
      validateRequestBody: true,
    });
    if (corsOrigin !== undefined) this.#addCorsToErrors(corsOrigin);
  }

  /** Leads the requests of one method and path, such as `/orders/{id}`, to a function. */
  addRoute(
    method: (typeof METHODS)[number],
    path: string,
    handler: LambdaFunction,
    { requireIdempotencyKey = false, authorizer = true }: RouteOptions = {},
  ): Method {
    if (!METHODS.includes(method)) refuse(this, `method is '${method}'; allowed are ${METHODS.join(", ")}`);
    if (!/^\/(?:[^\s/?#]+(?:\/[^\s/?#]+)*)?$/.test(path) || /\+\}./.test(path)) {
      refuse(
        this,
        `path is '${path}'; allowed is a path from its first slash, without one at its end, such as '/orders/{id}', and '{rest+}' last`,
      );
    }
    const timeout = secondsOf(handler.timeout);
    if (handler.timeout === undefined || (timeout !== undefined && timeout >= API_TIMEOUT)) {
      refuse(
        this,
        `timeout of ${handler.node.id} is ${timeout === undefined ? "not given" : `${timeout} s`}; allowed for ` +
          `${method} ${path} is less than ${API_TIMEOUT} s, when API Gateway gives the function up`,
      );
    }
    return this.api.root
      .resourceForPath(path)
      .addMethod(method, new LambdaIntegration(handler, { allowTestInvoke: false }), {
        requestValidator: this.#validator,
        ...(!authorizer && { authorizationType: AuthorizationType.NONE, authorizer: NOBODY }),
        ...(requireIdempotencyKey && { requestParameters: { "method.request.header.Idempotency-Key": true } }),
      });
  }

  /** Without these a browser shows a network error instead of the 400, 401 or 429 that API Gateway answers by itself. */
  #addCorsToErrors(origin: string): void {
    const responseHeaders = {
      "Access-Control-Allow-Origin": `'${origin}'`,
      "Access-Control-Expose-Headers": `'${RESPONSE_HEADERS.join(",")}'`,
    };
    this.api.addGatewayResponse("ClientErrors", { type: ResponseType.DEFAULT_4XX, responseHeaders });
    this.api.addGatewayResponse("ServerErrors", { type: ResponseType.DEFAULT_5XX, responseHeaders });
  }
}

function isOrigin(text: string): boolean {
  // It, or its host, is known at deployment.
  if (Token.isUnresolved(text)) return /^(https?:\/\/)?[^/\s*,':]+(:\d+)?$/.test(text);
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
