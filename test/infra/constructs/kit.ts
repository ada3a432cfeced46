import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App, Stack, type StackProps } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { IdempotencyTable, IdempotentFunction, type IdempotentFunctionProps } from "lambda-once/cdk";
import { afterAll, vi } from "vitest";

/** Any small file: without bundling it is only named. */
export const entry = fileURLToPath(new URL("../../../infra/demo/authorizer.ts", import.meta.url));

// The first synthesis of a file loads most of the CDK.
vi.setConfig({ testTimeout: 30_000 });

/** What the CDK needs to know for replicas and for a customer's key on a table. */
export const env = { account: "123456789012", region: "eu-central-1" };

const outdir = mkdtempSync(join(tmpdir(), "lambda-once-cdk-"));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

/** The template of a stack with what `build` puts into it. Functions are not bundled, which is slow and tested elsewhere. */
export function templateOf(build: (stack: Stack) => void, props: StackProps = {}): Template {
  const stack = emptyStack(props);
  build(stack);
  return Template.fromStack(stack);
}

/** A stack to be refused in. */
export function emptyStack(props: StackProps = {}): Stack {
  return new Stack(fastApp(), "Test", props);
}

/** An app that neither bundles nor loads the validator of CloudFormation's rules (two seconds a file): stack.test.ts does. */
export function fastApp(): App {
  return new App({
    outdir,
    context: { "aws:cdk:bundling-stacks": [], "@aws-cdk/aws-iam:minimizePolicies": true },
    builtinCloudFormationValidation: false,
    analyticsReporting: false,
    stackTraces: false,
    treeMetadata: false,
  });
}

/** A function `Handler` with its table `Records`. */
export function aFunction(stack: Stack, props: Partial<IdempotentFunctionProps> = {}): IdempotentFunction {
  return new IdempotentFunction(stack, "Handler", { entry, table: new IdempotencyTable(stack, "Records"), ...props });
}

/** The properties of the only resource of a type. */
export function only(template: Template, type: string): Record<string, unknown> {
  const found = Object.values(template.findResources(type));
  if (found.length !== 1) throw new Error(`${found.length} resources of ${type}; expected one`);
  return found[0]?.["Properties"] as Record<string, unknown>;
}

/** A statement of an IAM policy that allows exactly these actions on exactly this resource. */
export function allows(template: Template, actions: readonly string[], resource: unknown, more: object = {}): void {
  template.hasResourceProperties("AWS::IAM::Policy", {
    PolicyDocument: {
      Statement: Match.arrayWith([{ Action: [...actions].sort(), Effect: "Allow", Resource: resource, ...more }]),
    },
  });
}

/** The ARN of the resource whose logical id begins like this. */
export const arnOf = (id: string): unknown => ({ "Fn::GetAtt": [Match.stringLikeRegexp(`^${id}`), "Arn"] });
