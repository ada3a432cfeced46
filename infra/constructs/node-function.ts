import { Duration, Stack } from "aws-cdk-lib";
import { CfnGlobalTable, type ITable, type TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Policy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  FilterCriteria,
  FilterRule,
  type IEventSourceDlq,
  LoggingFormat,
  Runtime,
  StartingPosition,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import {
  type BundlingOptions,
  LogLevel,
  NodejsFunction,
  type NodejsFunctionProps,
  OutputFormat,
  SourceMapMode,
} from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { checkSeconds, checkWhole, refuse } from "./checks.ts";

/** What `NodejsFunction` takes, with these defaults. */
export interface NodeFunctionProps extends NodejsFunctionProps {
  /** The file whose export `handler` is the function. */
  readonly entry: string;
  /** How long one invocation may take. 1 to 900 seconds. Default: 15 seconds. */
  readonly timeout?: Duration;
  /** In MB, 128 to 10240. Default: 512. */
  readonly memorySize?: number;
  /** How long the function's log group keeps a line, where it is not a `logGroup` of your own. Default: one month. */
  readonly logRetention?: RetentionDays;
  /** Conditions by which esbuild reads the `exports` of packages, besides `import`, `module` and `node`. Default: none. */
  readonly exportConditions?: readonly string[];
  /**
   * The table whose `outbox()` items the function publishes: it reads the table's stream (which has to have new images),
   * new events alone, from the oldest on, and hands back what it could not send. Its handler is `publishOutbox(...)` of
   * `lambda-once/writes`. Default: none.
   */
  readonly outboxOf?: TableV2;
  /**
   * Where it is told, such as `new SqsDlq(queue)`, which events were not taken within `outboxRetries`. Without it an event
   * that nobody takes holds up all after it until the stream forgets it, after 24 hours. Only with `outboxOf`. Default: none.
   */
  readonly outboxFailures?: IEventSourceDlq;
  /** How often an event is handed over again before it goes there. 0 to 10000; only with `outboxFailures`. Default: 20. */
  readonly outboxRetries?: number;
}

/** CommonJS packages call `require`, which an ES module does not have. */
const REQUIRE =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** Lowered to Node 20, so that the very file that runs in Lambda also runs on a developer's machine. */
const BUNDLING: BundlingOptions = {
  format: OutputFormat.ESM,
  target: "node20",
  mainFields: ["module", "main"],
  banner: REQUIRE,
  minify: true,
  sourceMap: true,
  sourceMapMode: SourceMapMode.DEFAULT,
  sourcesContent: false,
  logLevel: LogLevel.WARNING,
  bundleAwsSDK: true, // A bundled client loads faster than the runtime's own, and is the version that was tested.
};

/**
 * A Node.js function as small as it gets: nodejs24.x on arm64, one minified ES module with its source map and its AWS
 * SDK, traced, JSON logs in a group of its own, and a role that can write there and nowhere else.
 *
 * @example
 * import { NodeFunction } from "lambda-once/cdk";
 *
 * const authorizer = new NodeFunction(stack, "Authorizer", { entry: "src/authorizer.ts" });
 */
export class NodeFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    const {
      timeout = Duration.seconds(15),
      memorySize = 512,
      exportConditions = [],
      logRetention,
      outboxOf,
      outboxFailures,
      outboxRetries,
      ...given
    } = props;
    checkSeconds(scope, `timeout of ${id}`, timeout, [1, 900]);
    checkWhole(scope, `memorySize of ${id}`, memorySize, [128, 10_240]);
    const { logGroup, role } = ownLogs(scope, id, given, logRetention);

    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      awsSdkConnectionReuse: false, // The AWS SDK v3 reuses connections without being told.
      ...given,
      timeout,
      memorySize,
      ...(logGroup !== undefined && { logGroup }),
      ...(role !== undefined && { role }),
      environment: { NODE_OPTIONS: "--enable-source-maps", ...given.environment },
      bundling: {
        ...BUNDLING,
        ...given.bundling,
        esbuildArgs: { ...conditions(exportConditions), ...given.bundling?.esbuildArgs },
      },
    });
    checkWhole(this, "outboxRetries", outboxRetries, [0, 10_000]);
    if (outboxOf === undefined && outboxFailures !== undefined) {
      refuse(
        this,
        "outboxFailures is given without outboxOf; allowed is it beside the table whose events are published",
      );
    }
    if (outboxFailures === undefined && outboxRetries !== undefined) {
      refuse(this, "outboxRetries is given without outboxFailures, where events would be lost after them");
    }
    if (outboxOf !== undefined) publish(this, outboxOf, outboxFailures, outboxRetries);
  }
}

/** What the stream hands over: a new item that holds an event. Everything else costs no invocation. */
const NEW_EVENTS = FilterCriteria.filter({
  eventName: FilterRule.isEqual("INSERT"),
  dynamodb: { NewImage: { outbox: { S: FilterRule.exists() } } },
});

function publish(fn: NodeFunction, table: TableV2, onFailure?: IEventSourceDlq, retryAttempts = 20): void {
  const resource = table.node.defaultChild;
  if (resource instanceof CfnGlobalTable) {
    const stream: CfnGlobalTable.StreamSpecificationProperty | undefined = Stack.of(table).resolve(
      resource.streamSpecification,
    );
    const found = stream === undefined ? "without a stream" : `with a stream of ${stream.streamViewType}`;
    // A stream without new images never holds what is to be published.
    if (!/^NEW_/.test(stream?.streamViewType ?? ""))
      refuse(fn, `outboxOf is a table ${found}; allowed is one with dynamoStream: StreamViewType.NEW_IMAGE`);
  }
  fn.addEventSource(
    // A TableV2 is one; only the compiler, told to be exact, sees an optional stream.
    new DynamoEventSource(table as unknown as ITable, {
      startingPosition: StartingPosition.TRIM_HORIZON, // Nothing that was committed before the function was there is left out.
      reportBatchItemFailures: true,
      bisectBatchOnError: true, // An event that cannot be sent holds back those of its shard after it, and nothing before it.
      filters: [NEW_EVENTS],
      ...(onFailure !== undefined && { onFailure, retryAttempts }),
    }),
  );
}

/**
 * The function's log group, and a role that can write there. Not where the user gives one of them; and in a VPC the
 * CDK's own role is needed, which has AWS's policy for network interfaces.
 */
function ownLogs(
  scope: Construct,
  id: string,
  { logGroup: givenGroup, role: givenRole, vpc }: NodejsFunctionProps,
  given?: RetentionDays,
): Pick<NodejsFunctionProps, "logGroup" | "role"> {
  if (givenGroup !== undefined && given !== undefined)
    refuse(scope, `logRetention of ${id} is given beside a logGroup; allowed is the retention of that group`);
  if (givenGroup !== undefined) return { logGroup: givenGroup, ...(givenRole !== undefined && { role: givenRole }) };
  const logGroup = new LogGroup(scope, `${id}Logs`, { retention: given ?? RetentionDays.ONE_MONTH });
  if (givenRole !== undefined) {
    // Beside the function: the role may be of another stack.
    const actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    const statement = new PolicyStatement({ actions, resources: [logGroup.logGroupArn] });
    // One that is not to be changed is not.
    givenRole.attachInlinePolicy(new Policy(scope, `${id}LogsPolicy`, { statements: [statement] }));
    return { logGroup, role: givenRole };
  }
  if (vpc !== undefined) return { logGroup };
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  logGroup.grantWrite(role);
  return { logGroup, role };
}

/** Naming any condition turns esbuild's own `module` off, so that it is named as well. */
function conditions(names: readonly string[]): Record<string, string> {
  return names.length === 0 ? {} : { "--conditions": [...names, "module"].join(",") };
}
