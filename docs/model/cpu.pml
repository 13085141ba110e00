/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lent CPU as far as NMIs go. VTX or SVM is defined; what only one of them has says so.
 * Every instruction of the monitor that matters is one STEP. The handler runs on the same
 * CPU, so no STEP happens while it runs or while an NMI that can be taken waits.
 */
bool latch;         /* an NMI waits; others that come meanwhile coalesce with it */
bool in_guest;
bool handling;      /* the root NMI handler runs */
bool blocked;       /* NMIs are blocked until IRET */
bool global;        /* SVM: GIF in root mode */
bool halted;
bool moved;         /* the count of NMIs is no longer what M1 or C1 read */
bool window;        /* RIP is between the compare and the instruction that leaves root mode */
bool redirected;    /* the handler moved RIP out of that window */
bool nmi_exit;      /* the newest exit was an NMI's */
bool aborted;       /* the entry did not happen */

#if !defined(SVM)
#define can_take (!blocked)
#elif defined(NO_GIF)
#define can_take (!blocked)
#else
#define can_take (!blocked && global)
#endif
#define nmi_due (latch && !in_guest && can_take)
#define STEP(...) atomic { (!in_guest && !halted && !handling && !nmi_due) -> __VA_ARGS__ }

active proctype Hardware()
{
  do
  :: atomic { nmi_due && !handling ->                                            /* H1 */
       latch = false; blocked = true; handling = true; halted = false; moved = true;
#ifndef NO_WINDOW
       redirected = (redirected || window)
#endif
     }
  :: atomic { handling -> handling = false; blocked = false }                    /* H2 */
  :: atomic { in_guest && latch && !blocked ->                                   /* H3 */
       in_guest = false; nmi_exit = true;
#ifdef VTX
       latch = false; blocked = true  /* an NMI's exit blocks like its handler would */
#endif
     }
  od
}

/* processor.nmiCount */
inline read_count()
{
  STEP(moved = false)
}

/* M5: into the guest, or not because an NMI was taken in root mode since M1. */
inline enter()
{
#ifdef VTX
  STEP(window = true);
#ifdef NO_COMPARE
  STEP(aborted = redirected);
#else
  STEP(aborted = (redirected || moved));
#endif
  if
  :: !aborted ->
     STEP(if :: redirected -> aborted = true
             :: else -> window = false; in_guest = true fi)
  :: else
  fi;
  if
  :: aborted -> STEP(window = false; redirected = false)
  :: else
  fi
#else
#ifdef NO_RECHECK
  STEP(aborted = false);
#else
  STEP(aborted = moved);
#endif
  if
  :: !aborted -> STEP(in_guest = true)
  :: else
  fi
#endif
}

/* M6: waits for an exit, and takes the NMI that caused it. */
inline after_exit()
{
  STEP(skip);
  if
  :: nmi_exit ->
#ifdef VTX
#ifdef NO_IRET
     STEP(nmi_exit = false)
#else
     STEP(nmi_exit = false; blocked = false)
#endif
#else
#ifndef NO_TAKE
     STEP(global = true);
     STEP(global = false);
#endif
     STEP(nmi_exit = false)
#endif
  :: else
  fi
}

/* I1 to I4: HLT unless an NMI was taken since the count was read. */
inline sleep_unless_moved()
{
  STEP(global = true);
  STEP(window = true);                                                           /* I1 */
  STEP(aborted = (redirected || moved));                                         /* I2 */
  if
  :: !aborted ->
     STEP(if :: redirected
             :: else -> window = false; halted = true fi)                        /* I3 */
  :: else
  fi;
  STEP(window = false; redirected = false; global = false)                       /* I4 */
}
