/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mailbox of a lent CPU, KVM_RUN, and how it is interrupted: by a signal, or by a visitor,
 * a thread that needs the vCPU for something else. Where the protocol has a barrier, a mutant
 * keeps the store before it in the processor's store buffer.
 *
 * The CPU is the one that kick.pml shows both vendors' to be: the look at the count of NMIs
 * and the entry, or HLT, are one step.
 */
bool latch;              /* an NMI waits */
bool in_guest;
bool halted;
bool moved;              /* an NMI was taken in root mode since the count was read */
#define STEP(...) atomic { (!in_guest && !halted) -> __VA_ARGS__ }

/* struct apus_cpu. One command is outstanding at a time, so one bit counts them. */
mtype = { nothing, guest_run, other };
mtype command = nothing;
bit command_sequence;
bit done_sequence;
bool awake;
bool watching;
bool interrupted;        /* result: -EINTR */
/* struct apus_vcpu */
bool exit_request;

/* In Linux. */
bool locked;             /* vcpu->lock */
bool visitor_waits;      /* for the lock: mutexes are handed over */
bool visitors;           /* vcpu->visitors */
bool signal;
bool queued;             /* a thread is on doorbell_waiters */
bool interruptible;      /* a signal wakes it too */
bool woken;
bool ring;               /* the doorbell's interrupt is on its way */

/* Stores on their way to memory: never, but in mutants. */
bool sequence_buffered;
bool done_buffered;
bool awake_buffered;
bool watching_buffered;

/* What the properties look at. */
mtype unserved = nothing; /* the command that is to be served, once */
mtype waits = nothing;    /* the command whose answer a thread waits for */
bool answered;
bool double_run;
bool wrong_command;
bool wrong_result;
bool spurious_interrupt;  /* KVM_RUN returned -EINTR without a signal */

active proctype Hardware()
{
  do
  :: atomic { latch && in_guest -> latch = false; in_guest = false }
  :: atomic { latch && !in_guest -> latch = false; moved = true; halted = false }
  :: atomic { ring -> ring = false; woken = (woken || queued) }                  /* B1 */
  :: atomic { sequence_buffered -> sequence_buffered = false; command_sequence = 1 - command_sequence }
  :: atomic { done_buffered -> done_buffered = false; done_sequence = 1 - done_sequence }
  :: atomic { awake_buffered -> awake_buffered = false; awake = false }
  :: atomic { watching_buffered -> watching_buffered = false; watching = false }
  od
}

/* Signals come at any time, or never again. */
#ifndef NO_SIGNALS
active proctype Sender()
{
  do
  :: atomic { !signal -> signal = true; woken = (woken || (queued && interruptible)) }
  :: break
  od
}
#endif

/* Exits of the guest's own making: any number, also none for ever. */
active proctype Guest()
{
  do
  :: atomic { in_guest && !latch -> in_guest = false }
  :: break
  od
}

/* lent_post(); the caller holds the lock. */
#define POSTED(what) unserved = what; waits = what; answered = false
inline post(what)
{
#ifdef SEQUENCE_FIRST
  atomic { command_sequence = 1 - command_sequence; mine = command_sequence; POSTED(what) };
  command = what;
#else
  command = what;                                                                /* P1 */
#ifdef NO_BARRIER_POST
  atomic { sequence_buffered = true; mine = 1 - command_sequence; POSTED(what) };
#else
  atomic { command_sequence = 1 - command_sequence; mine = command_sequence; POSTED(what) }; /* P2 */
#endif
#endif
  if                                                                             /* P3 */
  :: awake
  :: !awake -> atomic { !sequence_buffered -> latch = true }
  fi
}

#define QUEUE(by_signals) atomic { queued = true; woken = false; interruptible = by_signals }
#define LEAVE_QUEUE atomic { queued = false; woken = false; interruptible = false }

/* lent_await(): until the answer is there. */
inline await()
{
  do
  :: QUEUE(false);                                                               /* W1 */
     if                                                                          /* W2 */
     :: done_sequence == mine -> break
     :: done_sequence != mine ->
        woken                                                                    /* W3 */
     fi
  od;
  LEAVE_QUEUE;
  atomic { waits = nothing; wrong_result = (wrong_result || !answered) }
}

/* await_exit(): until the answer is there, or a signal. */
inline await_exit()
{
  if
  :: watching = true;
     if
     :: true
     :: done_sequence == mine || signal
     fi;
#ifdef NO_BARRIER_WATCHING
     watching_buffered = true                                                    /* W0 */
#else
     watching = false                                                            /* W0 */
#endif
  :: true
  fi;
  do
#ifdef LOOK_THEN_QUEUE
  :: if
     :: done_sequence == mine || signal -> break
     :: done_sequence != mine && !signal -> QUEUE(true); woken
     fi
#else
  :: QUEUE(true);                                                                /* W1 */
     if                                                                          /* W2 */
     :: done_sequence == mine || signal -> break
     :: done_sequence != mine && !signal -> woken                                /* W3 */
     fi
#endif
  od;
  LEAVE_QUEUE
}

/* Ends the loop that it stands in if a signal comes first. */
inline receive_visitors()
{
  atomic { locked = false; mine = 0 };
  if
  :: atomic { !visitors && !locked -> locked = true }
  :: atomic { signal && visitors && !visitor_waits && !locked -> locked = true }; interrupted = true; break
  fi
}

/* vcpu_run() */
active proctype Run()
{
  bit mine;
  do
  :: atomic { !locked && !visitor_waits -> locked = true };
     do
     ::
#ifndef NO_VISITOR_CHECK
        if                                                                       /* D0 */
        :: visitors -> receive_visitors()
        :: !visitors
        fi;
#endif
        post(guest_run);
        await_exit();
        if
        :: done_sequence != mine ->
           exit_request = true;                                                  /* R1 */
           latch = true                                                          /* R2 */
        :: done_sequence == mine
        fi;
        await();
        atomic { !watching_buffered -> skip };
        exit_request = false;                                                    /* D1 */
#ifdef RETURN_ALWAYS
        break;
#endif
        if                                                                       /* D2 */
        :: !interrupted || signal -> break
        :: interrupted && !signal -> receive_visitors()
        fi
     od;
     atomic {
       spurious_interrupt = (spurious_interrupt || (interrupted && !signal));
       locked = false; signal = false; mine = 0
     }
  od
}

/* vcpu_visit() and what it is done for */
#ifndef NO_VISITORS
active proctype Visitor()
{
  bit mine;
  do
  :: visitors = true;                                                            /* V1 */
     exit_request = true;                                                        /* R1 */
     latch = true;                                                               /* R2 */
     visitor_waits = true;
     atomic { !locked -> locked = true; visitor_waits = false };                 /* V2 */
     post(other);
     await();
     atomic { locked = false; mine = 0 };
     visitors = false                                                            /* V3 */
  :: break
  od
}
#endif

/* CommandServer.run() and VirtualCPU.runGuest() */
active proctype Monitor()
{
  bit served;
  bit wanted;
  bool aborted;
  do
  :: STEP(awake = true);                                                         /* C1 */
     if
     :: STEP(wanted = command_sequence)                                          /* C2 */
     :: true
     fi;
     do
     :: wanted != served -> break
     :: wanted == served ->
        STEP(moved = false);                                                     /* C3 */
#ifdef NO_BARRIER_AWAKE
        STEP(awake_buffered = awake);                                            /* C4 */
#else
        STEP(awake = false);                                                     /* C4 */
#endif
#ifdef NMI_IS_COMMAND
        STEP(if :: moved -> break :: else fi);
#endif
        STEP(wanted = command_sequence);                                         /* C5 */
        if
        :: wanted == served ->
#ifdef SLEEP_BLINDLY
           STEP(halted = true)
#else
           STEP(halted = !moved)                                                  /* C6 */
#endif
        :: wanted != served
        fi
     od;
     STEP(moved = false;                                                         /* C7 */
          double_run = (double_run || unserved == nothing);
          wrong_command = (wrong_command || (unserved != nothing && command != unserved));
          unserved = nothing; interrupted = false);
     do
     :: command != guest_run -> break
     :: command == guest_run ->
        STEP(moved = false);                                                     /* M1 */
        STEP(interrupted = exit_request; exit_request = false);                  /* M2 */
        if
        :: interrupted -> break                                                  /* M3 */
        :: !interrupted
        fi;
        STEP(aborted = moved; in_guest = !moved; moved = false);                 /* M5 */
        if
        :: aborted -> aborted = false
        :: !aborted ->
           STEP(skip);                                                           /* M6 */
           if
           :: break /* the client is asked */
           :: true
           fi
        fi
     od;
#ifdef DONE_FIRST
     STEP(done_sequence = wanted; served = wanted);
     STEP(answered = true);
#else
     STEP(answered = true; served = wanted);                                     /* C8 */
#ifdef NO_BARRIER_DONE
     STEP(done_buffered = true);                                                 /* C9 */
#else
     STEP(done_sequence = wanted);                                               /* C9 */
#endif
#endif
#ifdef LOSE_RING
     if
     :: STEP(ring = !watching) /* C10 */
     :: true
     fi
#else
     STEP(ring = !watching)                                                      /* C10 */
#endif
  od
}

ltl no_double_run { [] (!double_run && !wrong_command && !wrong_result) }
ltl no_spurious_interrupt { [] !spurious_interrupt }
ltl every_command_served { [] (unserved != nothing -> <> (unserved == nothing)) }
ltl handshake_ends {
  [] ((waits == other || (waits == guest_run && (signal || visitors || answered))) -> <> (waits == nothing))
}
ltl visitor_gets_in { [] (visitors -> <> !visitors) }
