import { fileURLToPath } from "node:url";
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { TokenAuthorizer } from "aws-cdk-lib/aws-apigateway";
import { type Attribute, AttributeType, Billing, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
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
  /** Where the payment provider is. Default: `https://payments.example`, which is nobody's. */
  readonly paymentProviderUrl?: string;
}

/** In this repository `lambda-once` is its sources; a project that installed it leaves this out. */
const exportConditions = ["lambda-once-source"];

/** Functions read secrets when they are invoked, by AWS's extension: the values are in no template and no environment. */
const secretsLayer = ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103, {
  logLevel: ParamsAndSecretsLogLevel.WARN,
  secretsManagerTimeout: Duration.seconds(2),
});

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });
const entry = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * The order service: the routes of an order's life and of one-time tokens behind an authorizer, the payment provider's webhook, the queue
 * `payments`, the orders, the ledger that all effects are booked in, and the idempotency records.
 */
export class OrderServiceStack extends Stack {
  constructor(scope: Construct, id: string, given: OrderServiceProps = {}) {
    const { disposable = false, paymentProviderUrl = "https://payments.example", ...props } = given;
    super(scope, id, props);
    const protection = disposable
      ? { deletionProtection: false, removalPolicy: RemovalPolicy.DESTROY }
      : { deletionProtection: true, removalPolicy: RemovalPolicy.RETAIN };

    const table = new IdempotencyTable(this, "Idempotency", protection);
    table.addAlarms();
    const whole = {
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...protection,
    };
    const orders = new TableV2(this, "OrderTable", { partitionKey: text("id"), ...whole });
    const ledger = new TableV2(this, "Ledger", { partitionKey: text("reference"), sortKey: text("entryId"), ...whole });

    const tokenSecret = this.#secret("TokenSecret", "What bearer tokens of the order service are signed with");
    const orderTokenSecret = this.#secret("OrderTokenSecret", "What one-time tokens for orders are sealed with");
    const webhookSecret = this.#secret("WebhookSecret", "What the payment provider signs its webhooks with");
    const environment = { ORDERS_TABLE: orders.tableName, LEDGER_TABLE: ledger.tableName };
    const common = { table, exportConditions, environment };
    const api = new IdempotentFunction(this, "Orders", {
      ...common,
      entry: entry("api-orders.ts"),
      environment: { ...environment, PAYMENT_PROVIDER_URL: paymentProviderUrl },
    });
    const checkouts = new IdempotentFunction(this, "Checkouts", {
      ...common,
      entry: entry("checkouts.ts"),
      environment: { ...environment, ORDER_TOKEN_SECRET_ARN: orderTokenSecret.secretArn },
      paramsAndSecrets: secretsLayer,
    });
    const webhook = new IdempotentFunction(this, "Webhook", {
      ...common,
      entry: entry("webhook-payment.ts"),
      environment: { ...environment, WEBHOOK_SECRET_ARN: webhookSecret.secretArn },
      paramsAndSecrets: secretsLayer,
      expiresAfter: Duration.days(15),
    });
    const payments = new IdempotentFunction(this, "Payments", {
      ...common,
      entry: entry("payment-consumer.ts"),
      expiresAfter: Duration.days(15),
    });
    orderTokenSecret.grantRead(checkouts);
    webhookSecret.grantRead(webhook);
    // A transaction needs the rights of its actions.
    orders.grant(api, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem");
    orders.grant(checkouts, "dynamodb:PutItem");
    orders.grant(webhook, "dynamodb:UpdateItem");
    ledger.grant(api, "dynamodb:PutItem");
    ledger.grant(checkouts, "dynamodb:PutItem");
    ledger.grant(payments, "dynamodb:PutItem");

    const authorizer = new NodeFunction(this, "Authorizer", {
      entry: entry("authorizer.ts"),
      timeout: Duration.seconds(10),
      environment: { TOKEN_SECRET_ARN: tokenSecret.secretArn },
      paramsAndSecrets: secretsLayer,
    });
    tokenSecret.grantRead(authorizer);
    const routes = new IdempotentApi(this, "Api", {
      authorizer: new TokenAuthorizer(this, "TokenAuthorizer", {
        handler: authorizer,
        validationRegex: "^[Bb]earer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
        resultsCacheTtl: Duration.minutes(1), // A token is good for at most that long after its end.
      }),
    });
    routes.addRoute("POST", "/orders", api, { requireIdempotencyKey: true });
    routes.addRoute("PUT", "/orders/{id}", api);
    routes.addRoute("POST", "/orders/{id}/pay", api);
    routes.addRoute("POST", "/orders/{id}/cancel", api, { requireIdempotencyKey: true });
    routes.addRoute("POST", "/tokens", checkouts);
    routes.addRoute("POST", "/checkouts", checkouts, { requireIdempotencyKey: true });
    const delivered = routes.addRoute("POST", "/webhooks/payment", webhook, { authorizer: false });

    const queue = new IdempotentQueue(this, "PaymentQueue", { consumer: payments });
    queue.addDeadLetterAlarm();

    acknowledgeFindings(this, {
      functions: [api, checkouts, webhook, payments, authorizer],
      api: routes,
      unauthorized: [delivered],
      queue,
      secrets: [tokenSecret, orderTokenSecret, webhookSecret],
    });
    const outputs = {
      ApiUrl: routes.url,
      PaymentQueueUrl: queue.queue.queueUrl,
      PaymentDeadLetterQueueUrl: queue.deadLetterQueue.queueUrl,
      IdempotencyTableName: table.tableName,
      OrderTableName: orders.tableName,
      LedgerTableName: ledger.tableName,
      OrdersLogGroupName: api.logGroup.logGroupName,
      TokenSecretArn: tokenSecret.secretArn,
      WebhookSecretArn: webhookSecret.secretArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  #secret(id: string, description: string): Secret {
    return new Secret(this, id, {
      description,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
  }
}
