import { Duration, Stack } from "aws-cdk-lib";
import { CfnGlobalTable, type ITable, type TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  FilterCriteria,
  FilterRule,
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
  /** How long the function's log group keeps a line. Default: one month. */
  readonly logRetention?: RetentionDays;
  /** Conditions by which esbuild reads the `exports` of packages, besides `import`, `module` and `node`. Default: none. */
  readonly exportConditions?: readonly string[];
  /**
   * The table whose `outbox()` items the function publishes: it reads the table's stream (which has to have new images),
   * new events alone, from the oldest on, and hands back what it could not send. Its handler is `publishOutbox(...)` of
   * `lambda-once/writes`. Default: none.
   */
  readonly outboxOf?: TableV2;
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
    if (outboxOf !== undefined) publish(this, outboxOf);
  }
}

/** What the stream hands over: a new item that holds an event. Everything else costs no invocation. */
const NEW_EVENTS = FilterCriteria.filter({
  eventName: FilterRule.isEqual("INSERT"),
  dynamodb: { NewImage: { outbox: { S: FilterRule.exists() } } },
});

function publish(fn: NodeFunction, table: TableV2): void {
  const resource = table.node.defaultChild;
  const lacksStream =
    resource instanceof CfnGlobalTable && Stack.of(table).resolve(resource.streamSpecification) === undefined;
  if (lacksStream) {
    refuse(fn, "outboxOf is a table without a stream; allowed is one with dynamoStream: StreamViewType.NEW_IMAGE");
  }
  fn.addEventSource(
    // A TableV2 is one; only the compiler, told to be exact, sees an optional stream.
    new DynamoEventSource(table as unknown as ITable, {
      startingPosition: StartingPosition.TRIM_HORIZON, // Nothing that was committed before the function was there is left out.
      reportBatchItemFailures: true,
      bisectBatchOnError: true, // An event that cannot be sent holds back those of its shard after it, and nothing before it.
      filters: [NEW_EVENTS],
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
  retention: RetentionDays = RetentionDays.ONE_MONTH,
): Pick<NodejsFunctionProps, "logGroup" | "role"> {
  if (givenGroup !== undefined) return { logGroup: givenGroup, ...(givenRole !== undefined && { role: givenRole }) };
  const logGroup = new LogGroup(scope, `${id}Logs`, { retention });
  if (givenRole !== undefined) return { logGroup, role: givenRole };
  if (vpc !== undefined) return { logGroup };
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  logGroup.grantWrite(role);
  return { logGroup, role };
}

/** Naming any condition turns esbuild's own `module` off, so that it is named as well. */
function conditions(names: readonly string[]): Record<string, string> {
  return names.length === 0 ? {} : { "--conditions": [...names, "module"].join(",") };
}
