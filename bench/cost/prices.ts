/** US dollars, US East (N. Virginia), on demand: as AWS lists them for DynamoDB since that day, and for Lambda (x86). */
export const PRICES = {
  region: "us-east-1",
  listed: "2024-11-01",
  sources: ["https://aws.amazon.com/dynamodb/pricing/on-demand/", "https://aws.amazon.com/lambda/pricing/"],
  /** Per million request units. */
  write: 0.625,
  read: 0.125,
  /** Per GB and month. */
  storage: 0.25,
  /** Per GB and second. */
  lambda: 0.0000166667,
} as const;

/** What one partition, and so one key, can take in a second. */
export const PARTITION = { write: 1_000, read: 3_000 } as const;

/** The memory at which a function has one whole processor; below it has that part of one. */
export const WHOLE_PROCESSOR_MB = 1_769;

/** What requests ask of DynamoDB. */
export interface Bill {
  readonly requests: number;
  readonly write: number;
  readonly read: number;
}

/** US dollars per million of what has this bill. */
export const perMillion = ({ write, read }: Bill): number => write * PRICES.write + read * PRICES.read;
