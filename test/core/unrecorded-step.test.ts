import { describe, expect, it } from "vitest";
import { bench, failing, thrownBy } from "../support/claims.ts";

// Seen in the crash matrix (three steps, the first step's checkpoint never arrives): the record was deleted, and the next
// call had the step's effect again as attempt 1.
describe("a step that was had and could not be recorded", () => {
  it.each([
    ["the store refuses it", () => "ch_1"],
    ["its result cannot be stored", () => new Map()],
  ])("is had again by a later attempt, which is told (%s)", async (why, charge) => {
    const under = bench();
    const first = await under.claim();
    if (why === "the store refuses it") under.next("checkpoint", failing("access_denied"));
    await first.threw(await thrownBy(first.step("charge", charge)));
    expect(await under.found()).toMatchObject({ status: "RELEASED", attempt: 1, steps: {} });
    const second = await under.claim();
    expect(second.attempt).toBe(2);
    expect(await second.step("charge", () => "ch_2")).toBe("ch_2");
  });

  it("leaves nothing behind where its function failed before", async () => {
    const under = bench();
    const first = await under.claim();
    const business = new Error("card declined");
    await first.threw(await thrownBy(first.step("charge", () => Promise.reject(business))));
    expect(await under.found()).toBeUndefined();
    expect((await under.claim()).attempt).toBe(1);
  });
});
