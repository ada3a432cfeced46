/** `npx cdk synth`, `npx cdk deploy`: the order service, checked by cdk-nag while it is synthesized. */
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { OrderServiceStack } from "./demo/stack.ts";

const app = new App();
new OrderServiceStack(app, "OrderService", {
  description: "lambda-once: an order service that runs each order and each payment once",
  disposable: app.node.tryGetContext("disposable") === "true", // npx cdk deploy -c disposable=true
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
