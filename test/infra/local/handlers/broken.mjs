import { nothing } from "./no-such-module.mjs";

export const handler = async () => nothing;
