/* The properties. rows.mjs chooses by -DHOLDS_<name> which of them a run asserts; `g_` is what only they look at. */

/* Two executions overlap only where one of them has outlasted its time. */
#ifdef HOLDS_OVERLAP
#define CHECK_OVERLAP(no_other_in_time) assert(no_other_in_time)
#else
#define CHECK_OVERLAP(no_other_in_time) skip
#endif

/* What was recorded stays for the whole window: nobody starts afresh inside it. */
#ifdef HOLDS_REPLAY
#define CHECK_REPLAY(window_is_over) assert(window_is_over)
#else
#define CHECK_REPLAY(window_is_over) skip
#endif

/* All answers that are recorded, or given from a record, are equal inside a window. */
#ifdef HOLDS_EQUAL
#define CHECK_EQUAL(same_answer) assert(same_answer)
#define ASSERTED_ANSWER(what) what
#else
#define ASSERTED_ANSWER(what) 0
#define CHECK_EQUAL(same_answer) skip
#endif

/* Nobody is refused because of the claim that it holds itself. */
#ifdef HOLDS_OWN_CLAIM
#define CHECK_OWN_CLAIM(not_mine) assert(not_mine)
#else
#define CHECK_OWN_CLAIM(not_mine) skip
#endif

/* Nobody is refused by a lock that has lapsed. */
#ifdef HOLDS_LAPSED_IS_FREE
#define CHECK_LAPSED_IS_FREE(still_locked) assert(still_locked)
#else
#define CHECK_LAPSED_IS_FREE(still_locked) skip
#endif

/* The business effect happens at most once in a window. */
#ifdef HOLDS_ONE_EFFECT
#define CHECK_ONE_EFFECT(first_effect) assert(first_effect)
#define COUNTED_EFFECTS 1
#else
#define COUNTED_EFFECTS 0
#define CHECK_ONE_EFFECT(first_effect) skip
#endif

/* No effect happens after the operation's result was recorded. */
#ifdef HOLDS_NO_LATE_EFFECT
#define CHECK_NO_LATE_EFFECT(not_recorded) assert(not_recorded)
#else
#define CHECK_NO_LATE_EFFECT(not_recorded) skip
#endif

/* A step whose result stands in the record is not run by an attempt that came after it. */
#ifdef HOLDS_STEP_ONCE
#define CHECK_STEP_ONCE(not_recorded_before) assert(not_recorded_before)
#else
#define CHECK_STEP_ONCE(not_recorded_before) skip
#endif

/* The same, also for an attempt that came before it and is late. */
#ifdef HOLDS_NO_LATE_STEP
#define CHECK_NO_LATE_STEP(not_recorded) assert(not_recorded)
#else
#define CHECK_NO_LATE_STEP(not_recorded) skip
#endif

/* The recorded result of a step never changes. */
#ifdef HOLDS_STEP_RESULT
#define CHECK_STEP_RESULT(unchanged) assert(unchanged)
#else
#define CHECK_STEP_RESULT(unchanged) skip
#endif

/* At most one commit in a window. */
#ifdef HOLDS_ONE_COMMIT
#define CHECK_ONE_COMMIT(first_commit) assert(first_commit)
#else
#define CHECK_ONE_COMMIT(first_commit) skip
#endif

/* Who is told that it committed has committed. */
#ifdef HOLDS_TRUE_SUCCESS
#define CHECK_TRUE_SUCCESS(committed) assert(committed)
#else
#define CHECK_TRUE_SUCCESS(committed) skip
#endif

/* Not a promise: that a place of the model is never reached. Each must fail, or a row that holds would mean nothing. */
#ifdef HOLDS_NEVER
#define REACHED(place) assert(place != HOLDS_NEVER)
#else
#define REACHED(place) skip
#endif
#define TAKEOVER 1
#define REPLAY 2
#define OWN_CLAIM_SEEN 3
#define LATE_OWNER 4
#define RESUMPTION 5
#define UNSAVED 6
#define TOKEN_KNOWN 7
#define OWN_RESULT_SEEN 8
#define STEP_SKIPPED 9
#define NEW_WINDOW 10
