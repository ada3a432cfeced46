import { Duration } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { checkSeconds, refuse, secondsOf } from "./checks.ts";
import type { IdempotencyTable } from "./idempotency-table.ts";
import { NodeFunction, type NodeFunctionProps } from "./node-function.ts";

export interface IdempotentFunctionProps extends NodeFunctionProps {
  /** Where the records are. The function gets its name, in LAMBDA_ONCE_TABLE, and the right to use it. */
  readonly table: IdempotencyTable;
  /** What the handler's option `lockFor` says. Default: as without it, the lock lasts as long as the function can run, and 5 seconds more. */
  readonly lockFor?: Duration;
  /** What the handler's option `expiresAfter` says. Default: 24 hours, as of `idempotent()`; batches and webhooks have 15 days. */
  readonly expiresAfter?: Duration;
}

/** What the clocks of two machines may differ by: the default of the handler's option `lockMargin`. */
const LOCK_MARGIN = 5;

/**
 * A function around `idempotent(...)`: a `NodeFunction` that knows its table and may use it. `IdempotentApi` and
 * `IdempotentQueue` refuse a function whose timeout or records do not fit them.
 *
 * @throws Error where the function could still be running when its lock has lapsed and another one has begun
 *
 * @example
 * import { IdempotencyTable, IdempotentFunction } from "lambda-once/cdk";
 *
 * const table = new IdempotencyTable(stack, "Idempotency");
 * const orders = new IdempotentFunction(stack, "Orders", { entry: "src/orders.ts", table });
 */
export class IdempotentFunction extends NodeFunction {
  /** How long the function's records answer. */
  readonly expiresAfter: Duration;

  constructor(scope: Construct, id: string, { table, lockFor, expiresAfter, ...props }: IdempotentFunctionProps) {
    super(scope, id, { ...props, environment: { ...props.environment, LAMBDA_ONCE_TABLE: table.tableName } });
    checkSeconds(this, "expiresAfter", expiresAfter, [1, 100 * 366 * 86_400]);
    checkSeconds(this, "lockFor", lockFor, [1, 100 * 366 * 86_400]);
    this.expiresAfter = expiresAfter ?? Duration.hours(24);

    const timeout = secondsOf(this.timeout);
    const lock = secondsOf(lockFor);
    const retention = secondsOf(this.expiresAfter);
    if (timeout !== undefined && lock !== undefined && lock < timeout + LOCK_MARGIN) {
      refuse(
        this,
        `timeout is ${timeout} s under a lockFor of ${lock} s, so that the function could outlive its lock, were it not ` +
          `renewed in time; allowed is a lockFor of at least ${timeout + LOCK_MARGIN} s, or none (it then follows the timeout)`,
      );
    }
    if (lock !== undefined && retention !== undefined && retention < lock) {
      refuse(this, `expiresAfter is ${retention} s under a lockFor of ${lock} s; allowed is at least the lockFor`);
    }
    table.grantIdempotency(this);
  }
}
