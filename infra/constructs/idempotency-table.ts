import { RemovalPolicy, Stack, Token } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  MathExpression,
  type MetricOptions,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { AttributeType, Billing, Operation, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { checkWhole, refuse } from "./checks.ts";

export interface IdempotencyTableProps {
  /** 3 to 255 letters, digits, '_', '-', '.'. Default: CloudFormation makes one up. */
  readonly tableName?: string;
  /** A key of your own to encrypt the records with, in a stack whose `env` names its Region. Default: the key that AWS manages, `aws/dynamodb`. */
  readonly encryptionKey?: IKey;
  /** Read request units per second at most; beyond, DynamoDB throttles. Default: no limit but the account's. */
  readonly maxReadRequestUnits?: number;
  /** Write request units per second at most; beyond, DynamoDB throttles. Default: no limit but the account's. */
  readonly maxWriteRequestUnits?: number;
  /** Whether deleting the table is refused until this is turned off. Default: true. */
  readonly deletionProtection?: boolean;
  /** What becomes of the table when it leaves the stack. Default: RETAIN. */
  readonly removalPolicy?: RemovalPolicy;
  /** Regions that get a copy of the table. Refused unless `acceptOneClaimPerRegion` is true. Default: none. */
  readonly replicaRegions?: readonly string[];
  /** The key of each replica's Region by its ARN, where `encryptionKey` is given. Default: none. */
  readonly replicaKeyArns?: Readonly<Record<string, string>>;
  /** Says that one key may be claimed once in *each* Region: replication is asynchronous. Default: false. */
  readonly acceptOneClaimPerRegion?: boolean;
}

/** When `addAlarms` sounds, and who hears it. */
export interface IdempotencyAlarmProps {
  /** What an alarm does, such as `new SnsAction(topic)`. Default: nothing but its state. */
  readonly action?: IAlarmAction;
  /** Percent of the writes whose condition failed, over 15 minutes. 1 to 100. Default: 50. */
  readonly conditionalFailurePercent?: number;
}

/** What `dynamoDBStore()` calls, and nothing else: see docs/architecture.md, "The requests to DynamoDB". */
const ACTIONS = ["PutItem", "UpdateItem", "DeleteItem", "GetItem"].map((name) => `dynamodb:${name}`);

/** What DynamoDB does with a customer's key on behalf of the caller, without the wildcards of `ReEncrypt*` and its like. */
const KEY_ACTIONS = [
  ...["Encrypt", "Decrypt", "DescribeKey"],
  ...["GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"],
].map((name) => `kms:${name}`);

/** Commits are transactions, which have a metric of their own. */
const OPERATIONS = [
  ...[Operation.PUT_ITEM, Operation.UPDATE_ITEM, Operation.DELETE_ITEM, Operation.GET_ITEM],
  Operation.TRANSACT_WRITE_ITEMS,
];

/**
 * The table of the idempotency records: on demand, TTL on `expiresAt`, point-in-time recovery, encrypted, protected
 * from deletion and kept when the stack goes.
 *
 * @example
 * import { IdempotencyTable, NodeFunction } from "lambda-once/cdk";
 *
 * const table = new IdempotencyTable(stack, "Idempotency");
 * table.grantIdempotency(new NodeFunction(stack, "Orders", { entry: "src/orders.ts" }));
 * table.addAlarms();
 */
export class IdempotencyTable extends Construct {
  readonly table: TableV2;
  readonly tableName: string;
  readonly tableArn: string;
  readonly encryptionKey: IKey | undefined;

  constructor(scope: Construct, id: string, props: IdempotencyTableProps = {}) {
    super(scope, id);
    const { encryptionKey, replicaRegions = [], deletionProtection = true } = props;
    const { tableName, maxReadRequestUnits, maxWriteRequestUnits, removalPolicy = RemovalPolicy.RETAIN } = props;
    if (tableName !== undefined && !Token.isUnresolved(tableName) && !/^[\w.-]{3,255}$/.test(tableName)) {
      refuse(this, `tableName is '${tableName}'; allowed are 3 to 255 letters, digits, '_', '-', '.'`);
    }
    if (props.replicaKeyArns !== undefined && encryptionKey === undefined) {
      refuse(this, "replicaKeyArns is given without an encryptionKey; allowed is it beside the key of this Region");
    }
    if (encryptionKey !== undefined && Token.isUnresolved(Stack.of(this).region)) {
      refuse(
        this,
        "encryptionKey is given in a stack whose Region is known only at deployment; allowed is it in a stack with " +
          "env: { region }, which CloudFormation's global table asks for",
      );
    }
    checkWhole(this, "maxReadRequestUnits", maxReadRequestUnits, [1, Number.MAX_SAFE_INTEGER]);
    checkWhole(this, "maxWriteRequestUnits", maxWriteRequestUnits, [1, Number.MAX_SAFE_INTEGER]);
    if (removalPolicy === RemovalPolicy.DESTROY && deletionProtection) {
      refuse(this, "removalPolicy is destroy under deletionProtection; allowed is it with deletionProtection: false");
    }
    if (replicaRegions.length > 0 && props.acceptOneClaimPerRegion !== true) {
      refuse(
        this,
        `replicaRegions is ${replicaRegions.join(", ")}; allowed is none, since a global table is replicated after the ` +
          "write: two Regions can claim the same key, and both run. Who accepts that sets acceptOneClaimPerRegion: true",
      );
    }

    this.encryptionKey = encryptionKey;
    this.table = new TableV2(this, "Table", {
      partitionKey: { name: "id", type: AttributeType.STRING },
      timeToLiveAttribute: "expiresAt",
      billing: Billing.onDemand({
        ...(maxReadRequestUnits !== undefined && { maxReadRequestUnits }),
        ...(maxWriteRequestUnits !== undefined && { maxWriteRequestUnits }),
      }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy,
      encryption:
        encryptionKey === undefined
          ? TableEncryptionV2.awsManagedKey()
          : TableEncryptionV2.customerManagedKey(encryptionKey, props.replicaKeyArns),
      replicas: replicaRegions.map((region) => ({ region })),
      ...(tableName !== undefined && { tableName }),
    });
    this.tableName = this.table.tableName;
    this.tableArn = this.table.tableArn;
  }

  /** Lets the grantee do what the library does: put, update, delete and get single records of this table, by their id. */
  grantIdempotency(grantee: IGrantable): Grant {
    const onTable = Grant.addToPrincipal({ grantee, actions: ACTIONS, resourceArns: [this.tableArn] });
    if (this.encryptionKey === undefined) return onTable;
    const { region, urlSuffix } = Stack.of(this);
    return onTable.combine(
      Grant.addToPrincipal({
        grantee,
        actions: KEY_ACTIONS,
        resourceArns: [this.encryptionKey.keyArn],
        conditions: { StringEquals: { "kms:ViaService": `dynamodb.${region}.${urlSuffix}` } },
      }),
    );
  }

  /** Requests of the library that were throttled. A sum over 5 minutes by default, as all of these metrics. */
  metricThrottledRequests(): IMetric {
    return this.table.metricThrottledRequestsForOperations({ operations: OPERATIONS });
  }

  /** Requests of the library that failed with an HTTP status 500. */
  metricSystemErrors(): IMetric {
    return this.table.metricSystemErrorsForOperations({ operations: OPERATIONS });
  }

  /** Writes whose condition failed: duplicates, takeovers that another won, claims that were lost. */
  metricConditionalFailures(props?: MetricOptions): IMetric {
    return this.table.metricConditionalCheckFailedRequests({ statistic: "Sum", ...props });
  }

  /** Percent of the writes whose condition failed. No value where nothing was written. */
  metricConditionalFailureRate(): MathExpression {
    const succeeded = (name: string): IMetric =>
      this.table.metricSuccessfulRequestLatency({
        statistic: "SampleCount",
        dimensionsMap: { TableName: this.tableName, Operation: name },
      });
    return new MathExpression({
      label: "Conditional failures (% of writes)",
      expression:
        "100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(put, 0) + FILL(changed, 0) + FILL(deleted, 0) + FILL(committed, 0))",
      usingMetrics: {
        failed: this.metricConditionalFailures(),
        put: succeeded("PutItem"),
        changed: succeeded("UpdateItem"),
        deleted: succeeded("DeleteItem"),
        committed: succeeded("TransactWriteItems"),
      },
    });
  }

  /**
   * Three alarms: a request was throttled; DynamoDB failed; and, for a quarter of an hour, more of the writes lost
   * their condition than a healthy service has duplicates (a sender in a loop, or a key that is too coarse).
   */
  addAlarms({ action, conditionalFailurePercent = 50 }: IdempotencyAlarmProps = {}): readonly Alarm[] {
    checkWhole(this, "conditionalFailurePercent", conditionalFailurePercent, [1, 100]);
    const alarms = [
      this.#alarm("ThrottlesAlarm", this.metricThrottledRequests(), 1, 1),
      this.#alarm("SystemErrorsAlarm", this.metricSystemErrors(), 1, 1),
      this.#alarm("ConditionalFailuresAlarm", this.metricConditionalFailureRate(), conditionalFailurePercent, 3),
    ];
    if (action !== undefined) for (const alarm of alarms) alarm.addAlarmAction(action);
    return alarms;
  }

  #alarm(id: string, metric: IMetric, threshold: number, evaluationPeriods: number): Alarm {
    return new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
