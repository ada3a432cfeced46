import { partsAlone } from "../subjects/parts-alone.ts";

/** The light client's parts, with nothing around them. */
export const handler = partsAlone(process.env["LAMBDA_ONCE_TABLE"] ?? "", process.env["BENCH_PATH"] !== "replay");
