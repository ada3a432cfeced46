/* What rows.mjs may set. Times are ticks; every clock is the true time plus a constant between 0 and SKEW. */
#define PLAIN 1
#define STEPS 2
#define ATOMIC 3
#define AT_COMMIT 4

/* Bounds. */
#ifndef MODE
#define MODE PLAIN
#endif
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef CALLS          /* by each of them, one after the other */
#define CALLS 2
#endif
#ifndef END            /* the last tick */
#define END 5
#endif
#ifndef FAULTS         /* lost responses, crashes and functions that throw, together */
#define FAULTS 1
#endif
#ifndef CRASHES        /* 0: no crashes among them */
#define CRASHES 1
#endif
#ifndef FREEZES        /* 0: no caller outlasts its time */
#define FREEZES 1
#endif
#ifndef GIVE_UP        /* 0: a request whose response was lost is sent again until it is known */
#define GIVE_UP 1
#endif
#ifndef SKEW
#define SKEW 1
#endif

/* Times. */
#ifndef RUN
#define RUN 1                          /* the Lambda ends */
#endif
#define MARGIN 1                       /* lockMargin */
#define LOCK (RUN + MARGIN)
#ifndef KEEP                           /* the retention window, expiresAfter */
#define KEEP 3
#endif
#ifndef TOKEN_MEMORY                   /* how long DynamoDB remembers a ClientRequestToken */
#define TOKEN_MEMORY 2
#endif
#ifndef TTL
#define TTL 1
#endif

#define FIRST 0
#define AFTER_LAPSE 1
#define AFTER_RELEASE 2

#define ME (w * CALLS + call + 1)      /* the random owner id: one for each call */
#define CLOCK (now + ahead[w])
#define IS_MINE (owner == ME && status == IN_PROGRESS)

/* The conditions, each with the slip that a broken variant makes in it. */
#if LAPSED_TOO_LATE
#define LAPSED_AT(t) (lock_until < t)
#elif LAPSED_TOO_EARLY
#define LAPSED_AT(t) (lock_until <= t + 1)
#else
#define LAPSED_AT(t) (lock_until <= t)
#endif

#if EXPIRED_THOUGH_LOCKED
#define VACANT(t) (status == ABSENT || expires <= t)
#else
#define VACANT(t) (status == ABSENT || (expires <= t && (status != IN_PROGRESS || lock_until <= t)))
#endif

#if TAKEOVER_UNCHECKED
#define SUCCEEDS_LAPSED(t) (status == IN_PROGRESS)
#elif TAKEOVER_CHECKS_OWNER_ONLY
#define SUCCEEDS_LAPSED(t) (status == IN_PROGRESS && owner == seen_owner && attempt == seen_attempt)
#else
#define SUCCEEDS_LAPSED(t) (status == IN_PROGRESS && owner == seen_owner && attempt == seen_attempt && LAPSED_AT(t))
#endif
#if RESUMPTION_UNCHECKED
#define SUCCEEDS_RELEASED (status == RELEASED || status == IN_PROGRESS)
#else
#define SUCCEEDS_RELEASED (status == RELEASED && owner == seen_owner && attempt == seen_attempt)
#endif

#if COMPLETE_UNOWNED
#define HELD_FOR_COMPLETE (status != ABSENT)
#elif COMPLETE_IN_PROGRESS_ONLY
#define HELD_FOR_COMPLETE (status == IN_PROGRESS)
#else
#define HELD_FOR_COMPLETE IS_MINE
#endif
#if RELEASE_UNOWNED
#define HELD_FOR_RELEASE (status != ABSENT)
#else
#define HELD_FOR_RELEASE IS_MINE
#endif
#if RELEASE_DROPS_STEPS
#define KEEPS_PAST false
#else
#define KEEPS_PAST (attempt > 1 || step != 0)
#endif
#if CHECKPOINT_UNOWNED
#define HELD_FOR_CHECKPOINT (status == IN_PROGRESS)
#else
#define HELD_FOR_CHECKPOINT IS_MINE
#endif

#if COMMIT_UNOWNED
#define MAY_COMMIT true
#elif MODE == AT_COMMIT
#define MAY_COMMIT VACANT(t)
#else
#define MAY_COMMIT IS_MINE
#endif
#if TOKEN_OF_ATTEMPT
#define TOKEN my_attempt
#else
#define TOKEN ME
#endif

#if EXPIRY_BEFORE_LOCK                 /* the expiry of a claim does not reach its lock's end */
#define CLAIM_EXPIRY (t + 1)
#elif KEEP > LOCK + 1
#define CLAIM_EXPIRY (t + KEEP)
#else
#define CLAIM_EXPIRY (t + LOCK + 1)
#endif

#if FREEZES
#define MAY_TICK true
#elif CALLERS == 2
#define MAY_TICK (IN_TIME(0) && IN_TIME(1))
#else
#define MAY_TICK (IN_TIME(0) && IN_TIME(1) && IN_TIME(2))
#endif
#define IN_TIME(v) (!in_flight[v] || now + 1 < until[v])
