/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks a running vCPU for something, and how it gets to know (docs/model): the
 * driver in one word of requests; another vCPU, and the vCPU itself, in the other.
 */
#include "cpu.pml"

/* Requesters: 0 the driver, 1 another vCPU, 2 the vCPU itself. */
#define ASKERS 3

/* Each one's bit in its word of requests. */
bool bit_of[ASKERS];
/* What the properties look at: bit set, NMI sent, bit cleared but not acted on. */
mtype = { none, asked, told, taken };
mtype stage[ASKERS] = none;

mtype = { plain, initialise, start_up };
mtype what = plain; /* asked by 1 */
mtype acts = plain; /* what of that was taken */
bool waiting;       /* for a start-up IPI */
bool bootstrap;
bool bound;         /* apic_ids names this CPU */

/*
 * A requester may ask again as soon as its bit is cleared. Without that bound an NMI storm
 * may keep the CPU in its handler for ever, here as on hardware.
 */
#define may_ask(who) (stage[who] == none || stage[who] == taken)
#define SET_BIT(who, as) bit_of[who] = true; stage[who] = as
#define SEND_NMI(who) latch = true; if :: stage[who] == asked -> stage[who] = told :: else fi

proctype Driver()
{
  do
#ifdef NMI_FIRST
  :: atomic { may_ask(0) -> SEND_NMI(0) };
     atomic { SET_BIT(0, told) }
#else
  :: atomic { may_ask(0) -> SET_BIT(0, asked) };                                 /* R1 */
     atomic { SEND_NMI(0) }                                                      /* R2 */
#endif
  :: break /* nothing more to ask for, ever */
  od
}

proctype OtherVCPU()
{
  bool sends;
  do
  :: may_ask(1) ->
#ifdef LOOK_UP_FIRST
     sends = bound;
#endif
     atomic {
       if
       :: what = plain
       :: what = initialise
       :: what = start_up
       fi;
       SET_BIT(1, asked)                                                         /* R1 */
     };
#ifndef LOOK_UP_FIRST
     sends = bound;
#endif
     atomic {
       if
       :: sends -> SEND_NMI(1); sends = false                                    /* R2 */
       :: else -> if :: stage[1] == asked -> stage[1] = told :: else fi
       fi
     }
  :: break
  od
}

/* Exits of the guest's own making: any number, also none for ever. */
proctype Guest()
{
  do
  :: atomic { in_guest && !(latch && !blocked) -> in_guest = false; nmi_exit = false }
  :: break
  od
}

#define TAKE(who) if :: bit_of[who] -> bit_of[who] = false; stage[who] = taken :: else fi
#define SERVE(who) if :: stage[who] == taken -> stage[who] = none :: else fi

proctype Monitor()
{
  bound = true; /* BIND; KVM_RUN comes after it */
  do
  :: read_count();                                                               /* M1 */

     /* Of other vCPUs. */
     STEP(if :: bit_of[1] -> acts = what; what = plain :: else fi;
          TAKE(1); TAKE(2));                                                       /* M2 */
     if
     :: acts == initialise ->
        /* Draining the APIC lets NMIs in on SVM. */
        STEP(global = true);                                                     /* M3 */
        STEP(global = false; waiting = !bootstrap)
     :: else
     fi;
     STEP(if :: acts == start_up -> waiting = false :: else fi;
          acts = plain; SERVE(1);
          SERVE(2));

     /* Of the driver. */
#ifdef CLEAR_LATE
     STEP(if :: bit_of[0] -> stage[0] = taken :: else fi);
     STEP(SERVE(0));
     STEP(bit_of[0] = false);
#else
     STEP(TAKE(0));                                                              /* M2 */
     if
     :: stage[0] == taken && may_ask(2) ->
        /* A line of the I/O APIC whose message is an NMI to this very vCPU. */
        STEP(SET_BIT(2, asked));                                                 /* R1 */
#ifdef SELF_UNTOLD
        STEP(stage[2] = told)
#else
        STEP(SEND_NMI(2))                                                        /* R2 */
#endif
     :: true
     fi;
     STEP(SERVE(0));                                                             /* M3 */
#endif

     if
     :: waiting -> sleep_unless_moved()                                          /* M4 */
     :: else ->
        enter();                                                                 /* M5 */
        if
        :: !aborted -> after_exit()                                              /* M6 */
        :: else
        fi
     fi
  od
}

init {
  atomic {
    if
    :: bootstrap = true
    :: waiting = true
    fi;
    run Monitor();
    run Driver();
    run OtherVCPU();
    run Guest()
  }
}

#define idle(who) (stage[who] == none)
/* Nothing of this CPU's own will make it look at its requests. */
#define resting ((in_guest || halted) && !latch && !handling)

/* A request whose NMI has been sent keeps nobody in the guest or in HLT. */
ltl no_entry_with_pending_kick {
  [] !(resting && (stage[0] == told || stage[1] == told || stage[2] == told))
}
#define not_open(who) (stage[who] == none || stage[who] == taken)
ltl no_lost_request { []<>not_open(0) && []<>not_open(1) && []<>not_open(2) }
/* Once nobody asks any more, the guest is not thrown out again and again. */
ltl guest_runs_on { (<>[](idle(0) && idle(1) && idle(2))) -> []<>resting }
