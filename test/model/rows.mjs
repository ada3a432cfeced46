/**
 * What is asked of the model, one row a run: a variant, the properties it is asked for, and the answer that is expected.
 * `flags` are the -D of parameters.pml; a name of `properties` is a HOLDS_ of properties.pml.
 */

/** Every mode is asked for these: in plain, steps and atomic a claim is the same claim. */
const CLAIM = ["OVERLAP", "REPLAY", "EQUAL", "OWN_CLAIM", "LAPSED_IS_FREE"];
const STEP = ["STEP_ONCE", "STEP_RESULT"];
const COMMIT = ["ONE_COMMIT", "ONE_EFFECT", "TRUE_SUCCESS"];
/** Clocks that differ by three ticks where the margin is one: no promise of the lock is left. */
const WILD = { SKEW: 3, END: 7, TTL: 0 };
const THREE = { CALLERS: 3, CALLS: 1, FAULTS: 0, SKEW: 0, END: 4 };

const promises = [
  ["plain", { MODE: "PLAIN" }, CLAIM],
  ["plain, two faults", { MODE: "PLAIN", FAULTS: 2, TTL: 0 }, CLAIM],
  ["plain, three callers at once", { MODE: "PLAIN", ...THREE }, CLAIM],
  ["plain with renewal", { MODE: "PLAIN", RENEWAL: 1, TTL: 0 }, CLAIM],
  ["plain, no crash, nobody late", { MODE: "PLAIN", CRASHES: 0, FREEZES: 0, GIVE_UP: 0 }, ["ONE_EFFECT"]],
  ["steps", { MODE: "STEPS" }, [...CLAIM, ...STEP]],
  ["steps, three callers at once", { MODE: "STEPS", ...THREE }, [...CLAIM, ...STEP]],
  ["atomic", { MODE: "ATOMIC" }, [...CLAIM, ...COMMIT]],
  ["atomic, two faults", { MODE: "ATOMIC", FAULTS: 2, TTL: 0 }, [...CLAIM, ...COMMIT]],
  ["atomic, three callers at once", { MODE: "ATOMIC", ...THREE }, [...CLAIM, ...COMMIT]],
  ["atomic, clocks beyond the margin", { MODE: "ATOMIC", ...WILD, KEEP: 6 }, COMMIT],
  ["at commit", { MODE: "AT_COMMIT", FAULTS: 2 }, [...CLAIM, ...COMMIT]],
];

const notPromised = [
  ["plain: killed after the effect", { MODE: "PLAIN", FREEZES: 0, GIVE_UP: 0, SKEW: 0 }, "ONE_EFFECT"],
  ["plain: frozen past the lock", { MODE: "PLAIN", FAULTS: 0, SKEW: 0 }, "NO_LATE_EFFECT"],
  ["plain: the same, the owner looks first", { MODE: "PLAIN", FAULTS: 0, SKEW: 0, OWNER_CHECK: 1 }, "NO_LATE_EFFECT"],
  ["plain: clocks beyond the margin", { MODE: "PLAIN", ...WILD }, "OVERLAP"],
  ["steps: a late owner repeats a step", { MODE: "STEPS", FAULTS: 0, SKEW: 0 }, "NO_LATE_STEP"],
];

const broken = [
  ["complete without a condition", { MODE: "PLAIN", COMPLETE_UNOWNED: 1 }, "EQUAL"],
  ["complete if in progress, whoever owns it", { MODE: "PLAIN", COMPLETE_IN_PROGRESS_ONLY: 1 }, "EQUAL"],
  ["release without a condition", { MODE: "PLAIN", RELEASE_UNOWNED: 1 }, "OVERLAP"],
  ["release without a condition, result lost", { MODE: "PLAIN", RELEASE_UNOWNED: 1 }, "REPLAY"],
  ["error hook deletes when refused", { MODE: "PLAIN", DELETES_WHEN_REFUSED: 1 }, "OVERLAP"],
  ["takeover without compare-and-set", { MODE: "PLAIN", TAKEOVER_UNCHECKED: 1 }, "OVERLAP"],
  ["takeover whatever the lock says", { MODE: "PLAIN", RENEWAL: 1, TAKEOVER_CHECKS_OWNER_ONLY: 1 }, "OVERLAP"],
  ["resumption without compare-and-set", { MODE: "PLAIN", RESUMPTION_UNCHECKED: 1, FAULTS: 2 }, "OVERLAP"],
  ["own claim not recognised", { MODE: "PLAIN", OWN_CLAIM_UNSEEN: 1 }, "OWN_CLAIM"],
  ["lock's end: `<` for `<=`", { MODE: "PLAIN", LAPSED_TOO_LATE: 1 }, "LAPSED_IS_FREE"],
  ["lock's end: one tick early", { MODE: "PLAIN", LAPSED_TOO_EARLY: 1 }, "OVERLAP"],
  ["expiry before the lock's end", { MODE: "PLAIN", EXPIRY_BEFORE_LOCK: 1 }, "OVERLAP"],
  [
    "without TTL, expired though locked",
    { MODE: "PLAIN", EXPIRY_BEFORE_LOCK: 1, TTL: 0, EXPIRED_THOUGH_LOCKED: 1 },
    "OVERLAP",
  ],
  ["checkpoint without the owner", { MODE: "STEPS", CHECKPOINT_UNOWNED: 1 }, "STEP_RESULT"],
  ["release drops recorded steps", { MODE: "STEPS", RELEASE_DROPS_STEPS: 1 }, "STEP_ONCE"],
  ["takeover trusts the steps it saw before", { MODE: "STEPS", STEPS_AS_SEEN_BEFORE: 1 }, "STEP_ONCE"],
  ["transaction with a token, without the owner", { MODE: "ATOMIC", COMMIT_UNOWNED: 1 }, "ONE_COMMIT"],
  ["token of id and attempt", { MODE: "ATOMIC", TOKEN_OF_ATTEMPT: 1, TOKEN_MEMORY: 5 }, "TRUE_SUCCESS"],
  ["effect outside of the transaction", { MODE: "ATOMIC", EFFECT_OUTSIDE: 1 }, "ONE_EFFECT"],
  ["at commit without the claim's condition", { MODE: "AT_COMMIT", COMMIT_UNOWNED: 1 }, "ONE_COMMIT"],
];

/** Of two rules that guard the same door, either alone is enough: the rows above break both, or open the other door. */
const doublyGuarded = [
  ["expired though locked, expiry after lock", { MODE: "PLAIN", EXPIRED_THOUGH_LOCKED: 1 }, CLAIM],
  ["expiry before the lock's end, without TTL", { MODE: "PLAIN", EXPIRY_BEFORE_LOCK: 1, TTL: 0 }, ["OVERLAP"]],
  ["takeover whatever the lock says, no renewal", { MODE: "PLAIN", TAKEOVER_CHECKS_OWNER_ONLY: 1 }, CLAIM],
  ["no token", { MODE: "ATOMIC", TOKEN_MEMORY: 0 }, [...CLAIM, ...COMMIT]],
];

/** A row that holds says little if nothing happens in it: each of these places must be reached. */
const reached = [
  ["a takeover", { MODE: "PLAIN" }, "TAKEOVER"],
  ["a replay", { MODE: "PLAIN" }, "REPLAY"],
  ["own claim found after a lost response", { MODE: "PLAIN" }, "OWN_CLAIM_SEEN"],
  ["own result found after a lost response", { MODE: "PLAIN" }, "OWN_RESULT_SEEN"],
  ["a late owner gets the winner's answer", { MODE: "PLAIN" }, "LATE_OWNER"],
  ["a result that could not be saved", { MODE: "PLAIN" }, "UNSAVED"],
  ["a second window", { MODE: "PLAIN" }, "NEW_WINDOW"],
  ["a released record resumed", { MODE: "STEPS" }, "RESUMPTION"],
  ["a recorded step skipped", { MODE: "STEPS" }, "STEP_SKIPPED"],
  ["a commit answered by its token", { MODE: "ATOMIC" }, "TOKEN_KNOWN"],
  ["own commit found after the token's time", { MODE: "ATOMIC" }, "OWN_RESULT_SEEN"],
];

/** Short names for what is asked together. */
export const sets = { claim: CLAIM, step: STEP, commit: COMMIT };

export const groups = [
  { title: "what each mode promises", expect: "holds", rows: promises.map(asked) },
  { title: "what is not promised: a lease cannot", expect: "violated", rows: notPromised.map(asked) },
  { title: "broken variants", expect: "violated", rows: broken.map(asked) },
  { title: "slips that another rule makes good", expect: "holds", rows: doublyGuarded.map(asked) },
  {
    title: "places that are reached",
    expect: "reached",
    rows: reached.map(([name, flags, place]) => ({ name, flags, properties: ["NEVER"], place })),
  },
];

function asked([name, flags, properties]) {
  return { name, flags, properties: [properties].flat() };
}
