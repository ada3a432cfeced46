import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { at, BODY, NOW, reasonOf, standard, stripe, TEXT_SECRET, verifier } from "./kit.ts";

describe("the tolerance", () => {
  it.each([
    [-300, "taken"],
    [-301, "too_old"],
    [300, "taken"],
    [301, "too_new"],
    [-86_400, "too_old"],
  ])("is 5 minutes both ways: a delivery signed %i s from now is %s", (from, expected) => {
    const headers = standard(BODY, { seconds: NOW + from });
    const verify = (): unknown => verifier()(BODY, headers);
    if (expected === "taken") expect(verify()).toStrictEqual({ id: "msg_1", timestamp: NOW + from });
    else expect(reasonOf(verify)).toBe(expected);
  });

  it("is what the option says", () => {
    const verify = verifier({ tolerance: { minutes: 2 } });
    expect(verify(BODY, standard(BODY, { seconds: NOW - 120 })).id).toBe("msg_1");
    expect(reasonOf(() => verify(BODY, standard(BODY, { seconds: NOW - 121 })))).toBe("too_old");
    expect(reasonOf(() => verify(BODY, standard(BODY, { seconds: NOW + 121 })))).toBe("too_new");
  });

  it("says the same of a forged delivery: the time costs no hash", () => {
    const forged = { ...standard(BODY, { seconds: NOW - 301 }), "webhook-signature": `v1,${"A".repeat(43)}=` };
    expect(reasonOf(() => verifier()(BODY, forged))).toBe("too_old");
  });
});

const ODD = ["1e9", "0x10", ` ${NOW}`, `${NOW} `, `+${NOW}`, `-${NOW}`, `0${NOW}`, `${NOW}.0`, `${NOW}.5`, `${NOW}abc`];
const HUGE = ["9".repeat(13), "9".repeat(400), "Infinity", "NaN", "١٨٠٠٠٠٠٠٠٠", `${NOW},${NOW}`, `${NOW}\n`];

it.each([...ODD, ...HUGE])("refuses the timestamp %j although it is signed", (seconds) => {
  expect(reasonOf(() => verifier()(BODY, standard(BODY, { seconds })))).toBe("malformed");
});

it.each(ODD)("refuses Stripe's timestamp %j although it is signed", (seconds) => {
  const verify = verifier({ secrets: [TEXT_SECRET], scheme: "stripe" });
  expect(reasonOf(() => verify(BODY, stripe(BODY, seconds)))).toBe("malformed");
});

it("never takes milliseconds for seconds", () => {
  expect(reasonOf(() => verifier()(BODY, standard(BODY, { seconds: NOW * 1000 })))).toBe("malformed");
});

it("refuses everything by a clock that tells no time", () => {
  expect(reasonOf(() => verifier({ clock: at(Number.NaN) })(BODY, standard()))).toBe("too_new");
});

it("works at the beginning of all times", () => {
  expect(verifier({ clock: at(0) })(BODY, standard(BODY, { seconds: 0 })).timestamp).toBe(0);
});

test.prop([fc.integer({ min: -400, max: 400 }), fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 350 })])(
  "takes exactly the times within the tolerance of the clock's second",
  (from, millis, tolerance) => {
    const verify = verifier({ tolerance: { seconds: tolerance }, clock: at(NOW + millis / 1000) });
    const headers = standard(BODY, { seconds: NOW + from });
    if (Math.abs(from) <= tolerance) expect(verify(BODY, headers).timestamp).toBe(NOW + from);
    else expect(reasonOf(() => verify(BODY, headers))).toBe(from < 0 ? "too_old" : "too_new");
  },
);
