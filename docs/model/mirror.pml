/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a device's registers: the guest has it while the owner's page tables do. VFIO takes it away and
 * lets it be found again; a vCPU that misses it asks the driver, which looks it up. Two vCPUs share the
 * nested tables. Kicks are as kick.pml shows them to be: a vCPU that was asked does not enter, or stay in, its
 * guest before it has looked. One page; each time that VFIO lets it be found it is another one.
 */
#define VCPUS 2
#ifndef TIMES
#define TIMES 1 /* that VFIO takes it away */
#endif
#define RUNS 2 /* of each vCPU */

/* Linux */
byte process_page = 1;      /* in the owner's page tables; 0: none */
byte newest = 1;
bool invalidating;          /* between the notifier's begin and end: mmu_interval_read_begin() waits */
byte sequence;              /* what mmu_interval_read_retry() compares */
/* The driver */
bool mirror_lock;
byte entry;                 /* of the directory */
byte revocations;           /* struct apus_vm */
/* The monitors' */
bool machine_lock;
byte mapped;                /* what the nested tables hold */
byte followed;              /* MemorySlots.revocations */
/* One per vCPU */
byte acknowledged[VCPUS];
bool busy[VCPUS];           /* in KVM_RUN on its CPU, not waiting for the driver */
bool sent[VCPUS];           /* a request whose NMI is on its way */
bool asked[VCPUS];          /* a request whose NMI has arrived */
byte cached[VCPUS];         /* the translation in the TLB */

/* What the properties look at: pages that Linux has given to something else. */
bool gone[TIMES + 2];
bool touched_gone;
bool taking;

#define LOCK(lock) atomic { !lock -> lock = true }
#define TOUCH(page) touched_gone = (touched_gone || gone[page])
#define LET_GO(id) (acknowledged[id] >= number || !busy[id])

proctype Wire()
{
end:
  do
  :: atomic { sent[0] -> sent[0] = false; asked[0] = true }
  :: atomic { sent[1] -> sent[1] = false; asked[1] = true }
  od
}

/* on_invalidate(), between the kernel's begin and end, then the page is away for good. */
proctype VFIO()
{
  byte times;
  byte number;
  byte old;
  do
  :: times < TIMES ->
     times++;
     taking = true;
     atomic { invalidating = true; sequence++ }
     LOCK(mirror_lock);
#ifdef ANNOUNCE_FIRST
     revocations++;
     number = revocations;
     entry = 0;
#else
     entry = 0;                                                                  /* G0 */
     revocations++;                                                              /* G1 */
     number = revocations;
#endif
     mirror_lock = false;
#ifndef NO_KICK
     atomic { sent[0] = true; sent[1] = true }                                   /* G4 */
#endif
#ifndef NO_WAIT
     atomic { LET_GO(0) -> skip }                                                /* G5 */
     atomic { LET_GO(1) -> skip }
#endif
     atomic { old = process_page; process_page = 0; gone[old] = (old != 0 || gone[old]); old = 0; number = 0 }
     invalidating = false;
     taking = false;
     /* The device is back: the next fault of the process finds registers again. */
     atomic { newest++; process_page = newest }
  :: times == TIMES -> break
  od
}

/* mirror_fault(), in the vCPU's thread. */
inline find_page()
{
  do
  :: atomic { !invalidating -> seen = sequence }                                 /* G6: mmu_interval_read_begin() */
     page = process_page;                                                        /* G7 */
     LOCK(mirror_lock);
#ifndef NO_RETRY
     if
     :: sequence != seen -> mirror_lock = false
     :: else ->
#endif
        entry = page;                                                            /* G8 */
        mirror_lock = false;
        break
#ifndef NO_RETRY
     fi
#endif
  od;
  atomic { seen = 0; page = 0 }
}

/* followSlots() */
inline follow()
{
  LOCK(machine_lock);
  wanted = revocations;                                                          /* G2 */
  if
  :: wanted != followed -> mapped = 0; followed = wanted
  :: else
  fi;
  machine_lock = false;
#ifndef NO_FLUSH
  cached[id] = 0;
#endif
  acknowledged[id] = wanted;                                                     /* G3 */
  wanted = 0
}

proctype VCPU(byte id)
{
  byte wanted;
  byte seen;
  byte page;
  byte runs;
  do
  :: runs < RUNS ->
     runs++;
     busy[id] = true;
     follow();                                                                   /* the run begins with it */
     do
     :: if
        :: atomic { asked[id] || sent[id] -> asked[id] = false }; follow()
        :: else
        fi;
        /* Entry and guest: a request ends it. */
        do
        :: atomic { !asked[id] && cached[id] == 0 && mapped != 0 -> cached[id] = mapped }
        :: atomic { !asked[id] && cached[id] != 0 -> TOUCH(cached[id]) }
        :: asked[id] -> break
        :: atomic { !asked[id] && cached[id] == 0 && mapped == 0 -> break }      /* the page is missing */
        :: atomic { !asked[id] -> break }                                        /* some other exit */
        od;
        if
        :: cached[id] == 0 && mapped == 0 ->
           /* mapPage() */
#ifdef NO_MACHINE_LOCK
           page = entry;
           LOCK(machine_lock);
#else
           LOCK(machine_lock);
           page = entry;                                                         /* G9 */
#endif
           mapped = (page != 0 -> page : mapped);
           machine_lock = false;
           if
           :: page == 0 -> break                                                 /* APUS_RUN_PAGE */
           :: else -> page = 0
           fi
        :: else
        fi;
        if
        :: true
        :: break                                                                 /* an exit for the client */
        fi
     od;
     busy[id] = false;
     if
     :: entry == 0 -> find_page()
     :: else
     fi
  :: runs == RUNS -> break
  od
}

init {
  atomic {
    run Wire();
    run VFIO();
    run VCPU(0);
    run VCPU(1)
  }
}

ltl nothing_gone_is_reached { [] !touched_gone }
ltl taking_ends { [] (taking -> <> !taking) }
