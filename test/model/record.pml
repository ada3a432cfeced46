/* The record, what the callers share, and the requests: each is carried out at one moment, under its condition. */
mtype = { ABSENT, IN_PROGRESS, COMPLETED, RELEASED };

mtype status = ABSENT;
byte owner, attempt, lock_until, expires, result, step;

byte now;
byte ahead[CALLERS + 1];               /* how far each clock is ahead; the last is that of DynamoDB's TTL */
byte token_until[CALLERS * CALLS + 1]; /* DynamoDB's memory of the tokens of committed transactions */
byte faults = FAULTS;

byte begun;                            /* callers are alike: they begin in the order of their numbers */
bool in_flight[CALLERS], running[CALLERS];
byte until[CALLERS];                   /* the end of the time of the execution */

/* Ghosts: of the current window */
bool g_recorded, g_committed;
byte g_step, g_answer, g_effects;
byte g_read, g_commit_read;            /* when the clock was read for the record's expiry, for the commit */
bool g_wrote[CALLERS * CALLS + 1];

inline forget()
{
  status = ABSENT; owner = 0; attempt = 0; lock_until = 0; expires = 0; result = 0; step = 0
}

/* What was recorded may be forgotten only when its window is over by any clock. */
inline new_window()
{
  if
  :: now + SKEW >= g_read + KEEP ->
       if
       :: g_recorded -> REACHED(NEW_WINDOW)
       :: else
       fi;
       g_recorded = false; g_step = 0; g_answer = 0; g_effects = 0
  :: else -> CHECK_REPLAY(!g_recorded && g_step == 0)
  fi
}

inline read_clock()
{
  t = CLOCK
}

inline hold()
{
  status = IN_PROGRESS; owner = ME; lock_until = t + LOCK; expires = CLAIM_EXPIRY; g_read = t - ahead[w];
#if TOKEN_OF_ATTEMPT
  my_attempt = attempt;
#endif
  in_flight[w] = !FREEZES;
  knew = (g_step != 0)
}

inline first_claim()
{
  new_window();
  forget(); attempt = 1; my_step = 0;
  hold();
  printf("t=%d caller %d claims the key\n", now, ME)
}

/* The heartbeat of a function that runs longer than its lock. */
inline renew()
{
  lock_until = CLOCK + LOCK; expires = CLOCK + KEEP; g_read = now; until[w] = now + RUN;
  printf("t=%d caller %d renews its lock\n", now, ME)
}

/* A takeover, or a resumption: the steps stay, and the answer shows them as they are now. */
inline succeed()
{
  attempt++;
#if STEPS_AS_SEEN_BEFORE
  my_step = seen_step;
#else
  my_step = step;
#endif
  hold();
  printf("t=%d caller %d takes over\n", now, ME)
}

/* The condition did not hold, and the request's answer shows the record. */
inline decide()
{
  if
#if !OWN_CLAIM_UNSEEN
  :: status == IN_PROGRESS && owner == ME && lock_until > t ->
       REACHED(OWN_CLAIM_SEEN);
       my_step = step; printf("t=%d caller %d finds its own claim\n", now, ME)
#define ELSE_NOT_MINE && !(owner == ME && lock_until > t)
#else
#define ELSE_NOT_MINE
#endif
  :: status == COMPLETED && expires > t ->
       REACHED(REPLAY);
       printf("t=%d caller %d replays the answer of %d\n", now, ME, result); answer(result); goto gone
  :: status == ABSENT || (status != IN_PROGRESS && expires <= t) || (status == IN_PROGRESS && expires <= t && lock_until <= t) ->
       from = FIRST; round++; next_round()
  :: status == RELEASED && expires > t ->
       REACHED(RESUMPTION);
       from = AFTER_RELEASE; see(); next_round()
  :: status == IN_PROGRESS && !(expires <= t && lock_until <= t) ELSE_NOT_MINE ->
       if
       :: LAPSED_AT(t) -> from = AFTER_LAPSE; see(); next_round()
       :: else ->
            CHECK_OWN_CLAIM(owner != ME);
            CHECK_LAPSED_IS_FREE(lock_until > t);
            printf("t=%d caller %d is refused: in progress\n", now, ME); goto refused
       fi
  fi
}

inline see()
{
  seen_owner = owner; seen_attempt = attempt;
#if STEPS_AS_SEEN_BEFORE
  seen_step = step;
#endif
  round++
}

/* At most three rounds; then the key counts as in progress. */
inline next_round()
{
  t = 0;
  if
  :: round < 3 -> goto again
  :: else -> goto gone
  fi
}

inline begin_execution()
{
#if CALLERS == 2
  CHECK_OVERLAP(!(running[1 - w] && now < until[1 - w]));
#else
  CHECK_OVERLAP(!(running[(w + 1) % 3] && now < until[(w + 1) % 3]) && !(running[(w + 2) % 3] && now < until[(w + 2) % 3]));
#endif
  if
  :: attempt > 1 -> REACHED(TAKEOVER)
  :: else
  fi;
  running[w] = true;
  t = 0; from = 0; round = 0; seen_owner = 0; seen_attempt = 0;
  printf("t=%d caller %d runs, attempt %d\n", now, ME, attempt)
}

inline end_execution()
{
  running[w] = false;
#if FREEZES
  until[w] = 0;
#endif
  knew = false; my_step = 0
}

inline effect()
{
  CHECK_ONE_EFFECT(g_effects == 0);
  CHECK_NO_LATE_EFFECT(!g_recorded);
  g_effects = COUNTED_EFFECTS;
  printf("t=%d caller %d: THE EFFECT HAPPENS\n", now, ME)
}

inline run_step()
{
  CHECK_STEP_ONCE(!knew);
  CHECK_NO_LATE_STEP(g_step == 0);
  printf("t=%d caller %d runs the step\n", now, ME)
}

inline record_step()
{
  CHECK_STEP_RESULT(g_step == 0 || g_step == ME);
  step = ME; g_step = ME;
  printf("t=%d caller %d records the step\n", now, ME)
}

inline write_result()
{
  status = COMPLETED; result = ME; expires = t + KEEP; lock_until = 0; step = 0; attempt = 0;
  g_recorded = true; g_read = t - ahead[w];
  printf("t=%d caller %d records its result\n", now, ME)
}

inline transact()
{
#if MODE == AT_COMMIT
  new_window(); attempt = 1;
#endif
  CHECK_ONE_COMMIT(!g_committed || now + SKEW >= g_commit_read + KEEP);
  owner = ME;
  write_result();
  g_committed = true; g_commit_read = t - ahead[w]; g_wrote[ME] = true;
  token_until[TOKEN] = now + TOKEN_MEMORY;
#if !EFFECT_OUTSIDE
  effect_of_commit()
#endif
}

/* The business write of the transaction. */
inline effect_of_commit()
{
  CHECK_ONE_EFFECT(g_effects == 0);
  g_effects = COUNTED_EFFECTS;
  printf("t=%d caller %d COMMITS effect and result\n", now, ME)
}

/* The end of a claim was refused: my own earlier write, the winner's answer, or a lost claim. */
inline late_owner()
{
  if
  :: status == COMPLETED && owner == ME ->
       REACHED(OWN_RESULT_SEEN);
#if MODE == ATOMIC || MODE == AT_COMMIT
       CHECK_TRUE_SUCCESS(g_wrote[ME]);
#endif
       printf("t=%d caller %d finds its own result\n", now, ME); answer(ME)
  :: status == COMPLETED && owner != ME ->
       REACHED(LATE_OWNER);
       printf("t=%d caller %d is late: the answer of %d\n", now, ME, result); answer(result)
  :: else -> printf("t=%d caller %d has lost its claim\n", now, ME); goto gone
  fi
}

inline answer(what)
{
  CHECK_EQUAL(g_answer == 0 || g_answer == what);
  g_answer = ASSERTED_ANSWER(what)
}

inline release()
{
  lock_until = 0;
  if
  :: KEEPS_PAST ->
       status = RELEASED; expires = CLOCK + KEEP; g_read = now; printf("t=%d caller %d gives the key back, the steps stay\n", now, ME)
  :: else -> forget(); printf("t=%d caller %d gives the key back\n", now, ME)
  fi
}

inline clear()
{
  end_execution();
  round = 0; from = 0; t = 0; seen_owner = 0; seen_attempt = 0;
#if STEPS_AS_SEEN_BEFORE
  seen_step = 0;
#endif
#if TOKEN_OF_ATTEMPT
  my_attempt = 0;
#endif
  skip
}

/* Times that have passed are all alike. */
inline forget_the_past()
{
#if MODE == ATOMIC || MODE == AT_COMMIT
  do
  :: k <= CALLERS * CALLS -> token_until[k] = (token_until[k] > now -> token_until[k] : 0); k++
  :: else -> k = 0; break
  od;
#endif
  do
  :: k < CALLERS -> until[k] = (until[k] > now -> until[k] : 0); k++
  :: else -> k = 0; break
  od
}
