/*
 * One key, its record in DynamoDB, and callers that crash, freeze, lose responses and have wrong clocks.
 * The bounds, the switches of the broken variants and the properties come by -D from rows.mjs.
 * docs/model.md says what is modelled and what is not. A freeze needs no line: any caller may wait at any point.
 */
#include "parameters.pml"
#include "properties.pml"
#include "record.pml"

#define CRASH atomic { CRASHES && faults > 0 -> faults--; printf("t=%d caller %d CRASHES\n", now, ME); goto gone }
#define THROW atomic { faults > 0 -> faults--; end_execution(); printf("t=%d caller %d: the function throws\n", now, ME); goto give_back }

/* A request was carried out and its response is lost: it is sent again, or the caller gives up. */
#define LOST(next) atomic { faults > 0 -> faults--; printf("t=%d caller %d loses the response\n", now, ME); goto next }
#if GIVE_UP
#define LOST_FOR_GOOD(next) LOST(next)
#else
#define LOST_FOR_GOOD(next) atomic { false -> goto next }
#endif

proctype caller(byte w)
{
  byte call, round, from, t, my_step, seen_owner, seen_attempt;
#if STEPS_AS_SEEN_BEFORE
  byte seen_step;
#endif
#if TOKEN_OF_ATTEMPT
  byte my_attempt;
#endif
  bool knew;

  do
  :: atomic { call < CALLS && begun >= w -> begun = (begun == w -> w + 1 : begun); from = FIRST; read_clock(); until[w] = now + RUN };

#if MODE != AT_COMMIT
claim:                                 /* one reading of the clock, t, serves the condition and the decision */
    atomic {
      if
      :: from == FIRST && VACANT(t) -> first_claim()
      :: from == AFTER_LAPSE && SUCCEEDS_LAPSED(t) -> succeed()
      :: from == AFTER_RELEASE && SUCCEEDS_RELEASED -> succeed()
      :: else -> decide()
      fi
    };
    if
    :: LOST(claim)
    :: LOST_FOR_GOOD(give_back)
    :: atomic {
         if
         :: t + LOCK > CLOCK && now < until[w] -> begin_execution()
         :: else -> goto give_back     /* it came too late to be used */
         fi
       }
    fi;
#endif

#if MODE == PLAIN
#if OWNER_CHECK
    atomic {
      if
      :: IS_MINE && lock_until > CLOCK -> printf("t=%d caller %d looks: it is the owner, its lock holds\n", now, ME)
      :: else -> end_execution(); goto gone
      fi
    };
#endif
working:
    if
    :: CRASH
    :: THROW
#if RENEWAL
    :: atomic { IS_MINE -> renew(); goto working }
#endif
    :: atomic { effect(); end_execution() }
    fi;
#endif

#if MODE == STEPS
    if
    :: my_step != 0 -> REACHED(STEP_SKIPPED)
    :: CRASH
    :: THROW
    :: atomic { my_step == 0 -> run_step() };
checkpoint:
         if
         :: CRASH
         :: atomic {
              if
              :: HELD_FOR_CHECKPOINT -> record_step()
              :: else -> end_execution(); printf("t=%d caller %d has lost its claim: its step is not recorded\n", now, ME); goto gone
              fi
            }
         fi;
         if
         :: LOST(checkpoint)
         :: LOST_FOR_GOOD(gone)
         :: skip
         fi
    fi;
    if
    :: THROW
    :: atomic { end_execution() }
    fi;
#endif

#if MODE == PLAIN || MODE == STEPS
save:
    if
    :: CRASH
    :: atomic { read_clock() }
    fi;
    atomic {
      if
      :: HELD_FOR_COMPLETE -> write_result(); answer(ME)
      :: else -> late_owner()
      fi
    };
    if
    :: LOST(save)
    :: LOST_FOR_GOOD(unsaved)
    :: goto gone
    fi;
unsaved:                               /* a result is never thrown away because saving it failed */
    atomic { REACHED(UNSAVED); goto gone };
#endif

#if MODE == ATOMIC
#if EFFECT_OUTSIDE
    atomic { effect(); end_execution() };
#endif
    if
    :: CRASH
    :: THROW
    :: atomic { end_execution(); read_clock() }          /* the transaction's bytes are fixed once */
    fi;
#endif
#if MODE == ATOMIC || MODE == AT_COMMIT
commit:
    if
    :: CRASH
    :: atomic {
         if
         :: token_until[TOKEN] > now ->   /* DynamoDB remembers the token: success, and nothing is written */
              printf("t=%d caller %d is answered by its token: success\n", now, ME);
              REACHED(TOKEN_KNOWN); CHECK_TRUE_SUCCESS(g_wrote[ME]);
              if
              :: owner == ME -> answer(ME)
              :: else                     /* its window is over, and another may have begun */
              fi
         :: token_until[TOKEN] <= now && MAY_COMMIT -> transact(); answer(ME)
         :: else -> late_owner()
         fi
       }
    fi;
    if
    :: LOST(commit)
    :: goto gone
    fi;
#endif

#if MODE != AT_COMMIT
give_back:
    atomic {
      if
      :: HELD_FOR_RELEASE -> release()
      :: else -> printf("t=%d caller %d: not mine to give back\n", now, ME)
      fi
    };
    if
    :: LOST(give_back)
    :: goto gone
    fi;

again:                                 /* the record that was seen decides what is asked for next */
    atomic { read_clock(); goto claim };
#endif

refused:
#if DELETES_WHEN_REFUSED
    atomic { printf("t=%d caller %d: its error hook deletes the record\n", now, ME); forget() };
#endif
    skip;

gone:
    atomic { clear(); in_flight[w] = false; until[w] = 0; call++ }
  :: else -> break
  od
}

/* Time passes, whatever the callers do; without FREEZES nobody's work outlasts its time. TTL deletes when it likes. */
proctype world()
{
  byte k;

  do
  :: atomic { now < END && MAY_TICK -> now++; forget_the_past() }
  :: atomic { TTL && status != ABSENT && expires <= now + ahead[CALLERS] -> printf("t=%d TTL deletes the record\n", now); forget() }
  :: now == END -> break
  od
}

init
{
  byte i;
  atomic {
    do
    :: i <= CALLERS ->
         if
         :: ahead[i] = 0
         :: SKEW > 0 && (TTL || i < CALLERS) -> ahead[i] = SKEW
         fi;
         i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < CALLERS -> run caller(i); i++
    :: else -> break
    od;
    i = 0;
    run world()
  }
}
