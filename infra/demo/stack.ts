import { fileURLToPath } from "node:url";
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { TokenAuthorizer } from "aws-cdk-lib/aws-apigateway";
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import {
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsLogLevel,
  ParamsAndSecretsVersions,
} from "aws-cdk-lib/aws-lambda";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { IdempotencyTable, IdempotentApi, IdempotentFunction, IdempotentQueue, NodeFunction } from "lambda-once/cdk";
import { acknowledgeFindings } from "./findings.ts";

export interface OrderServiceProps extends StackProps {
  /** Whether `cdk destroy` takes the tables, and what is in them, with it. Default: false, they are protected and kept. */
  readonly disposable?: boolean;
}

/** In this repository `lambda-once` is its sources; a project that installed it leaves this out. */
const exportConditions = ["lambda-once-source"];

const entry = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The order service: `POST /orders` behind an authorizer, the queue `payments`, the records, and the ledger they book in. */
export class OrderServiceStack extends Stack {
  constructor(scope: Construct, id: string, { disposable = false, ...props }: OrderServiceProps = {}) {
    super(scope, id, props);
    const protection = disposable
      ? { deletionProtection: false, removalPolicy: RemovalPolicy.DESTROY }
      : { deletionProtection: true, removalPolicy: RemovalPolicy.RETAIN };

    const table = new IdempotencyTable(this, "Idempotency", protection);
    table.addAlarms();
    const ledger = new TableV2(this, "Ledger", {
      partitionKey: { name: "reference", type: AttributeType.STRING },
      sortKey: { name: "entryId", type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...protection,
    });

    const common = { table, exportConditions, environment: { LEDGER_TABLE: ledger.tableName } };
    const orders = new IdempotentFunction(this, "Orders", { ...common, entry: entry("api-orders.ts") });
    const payments = new IdempotentFunction(this, "Payments", {
      ...common,
      entry: entry("payment-consumer.ts"),
      expiresAfter: Duration.days(15),
    });
    for (const handler of [orders, payments]) ledger.grant(handler, "dynamodb:PutItem", "dynamodb:Query");

    const secret = new Secret(this, "TokenSecret", {
      description: "What bearer tokens of the order service are signed with",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    const authorizer = this.#authorizer(secret);
    const api = new IdempotentApi(this, "Api", {
      authorizer: new TokenAuthorizer(this, "TokenAuthorizer", {
        handler: authorizer,
        validationRegex: "^[Bb]earer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
        resultsCacheTtl: Duration.minutes(1), // A token is good for at most that long after its end.
      }),
    });
    api.addRoute("POST", "/orders", orders, { requireIdempotencyKey: true });

    const queue = new IdempotentQueue(this, "PaymentQueue", { consumer: payments });
    queue.addDeadLetterAlarm();

    acknowledgeFindings(this, { functions: [orders, payments, authorizer], api, queue, secret });
    const outputs = {
      ApiUrl: api.url,
      PaymentQueueUrl: queue.queue.queueUrl,
      PaymentDeadLetterQueueUrl: queue.deadLetterQueue.queueUrl,
      IdempotencyTableName: table.tableName,
      LedgerTableName: ledger.tableName,
      TokenSecretArn: secret.secretArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  /** It reads the secret when it is invoked, by AWS's extension: the value is in no template and no environment. */
  #authorizer(secret: Secret): NodeFunction {
    const authorizer = new NodeFunction(this, "Authorizer", {
      entry: entry("authorizer.ts"),
      timeout: Duration.seconds(10),
      environment: { TOKEN_SECRET_ARN: secret.secretArn },
      paramsAndSecrets: ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103, {
        logLevel: ParamsAndSecretsLogLevel.WARN,
        secretsManagerTimeout: Duration.seconds(2),
      }),
    });
    secret.grantRead(authorizer);
    return authorizer;
  }
}
