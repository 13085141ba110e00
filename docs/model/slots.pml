/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory slot goes, or comes, while vCPUs run, start and stop. Kicks and the mailbox are as
 * kick.pml and run.pml show them to be. One slot, two pages that may back it, two vCPUs: the
 * first may wait for its start-up IPI, the second be in the middle of an access to a device.
 */
#define VCPUS 2
#ifndef CHANGES
#define CHANGES 3 /* it goes, another comes, that goes */
#endif

/* struct apus_vm */
byte generation = 1;        /* slots_generation */
byte page_of[2];            /* slots[][]: 0: no slot */
byte stamp_of[2];           /* the slot's generation */
/* VirtualMachineState, behind its lock */
bool machine_lock;
byte mapped;                /* what the nested tables hold */
byte mapped_stamp;
byte followed = 1;          /* MemorySlots.generation */
/* One per vCPU */
byte acknowledged[VCPUS];   /* slots_generation of struct apus_vcpu */
bool busy[VCPUS];           /* command_sequence is not done_sequence */
bool latch[VCPUS];
byte cached[VCPUS];         /* the translation in the TLB */
/* The driver's */
byte generation_in_buffer;

/* What the properties look at. */
bool freed[3];
bool changing;
bool use_after_free;
bool stale_slot;

#define TOUCH(page) use_after_free = (use_after_free || freed[page])

/* await_vcpu(): the NMI may find the vCPU anywhere. */
inline await_vcpu(id)
{
#ifndef NO_BARRIER_SLOTS
  latch[id] = true;                                                              /* R2 */
#endif
  atomic { (acknowledged[id] == generation + generation_in_buffer || !busy[id]) -> skip } /* S4 */
}

proctype Driver()
{
  byte old;
  byte next;
  byte count;
  do
  :: count < CHANGES ->
     changing = true;
     count++;
     /* slots[generation & 1] is in force; the other table is written. */
     old = page_of[generation & 1];
     if
     :: old != 0 -> next = 0
     :: old == 0 -> if :: next = 1 :: next = 2 fi; freed[next] = false
     fi;
     stamp_of[(generation + 1) & 1] = generation + 1;                            /* S1 */
     page_of[(generation + 1) & 1] = next;
#ifdef NO_BARRIER_SLOTS
     generation_in_buffer = 1;
#else
     generation++;                                                               /* S2 */
#endif
#ifdef NO_WAIT
     latch[0] = true;
     latch[1] = true;
#else
     await_vcpu(0);                                                              /* S3 */
     await_vcpu(1);
#endif
     atomic {
       if :: old != 0 -> freed[old] = true :: else fi;                           /* S5 */
       old = 0; next = 0; changing = false
     }
#ifdef NO_BARRIER_SLOTS
     atomic { generation = generation + generation_in_buffer; generation_in_buffer = 0 }
#endif
  :: count == CHANGES -> break
  od
}

/* MemorySlots.follow(): what is read of a slot is read word by word. */
inline follow()
{
  atomic { !machine_lock -> machine_lock = true };
  do
  :: atomic { wanted = generation; if :: wanted == followed -> break :: else fi }; /* F2 */
     if
     :: mapped != 0 && (page_of[wanted & 1] == 0 || stamp_of[wanted & 1] != mapped_stamp) -> mapped = 0
     :: else
     fi;
     if
     :: mapped == 0 ->
        mapped_stamp = stamp_of[wanted & 1];
        mapped = page_of[wanted & 1]
     :: else
     fi;
     followed = wanted
  od;
  wanted = followed;
  /* Whoever has read a slot in peace has what the driver wrote. */
  stale_slot = (stale_slot || (generation == wanted && mapped != page_of[wanted & 1]));
  machine_lock = false
}

proctype VCPU(byte id)
{
  byte wanted;
  bool finishing;
  bool asleep;
  do
  :: /* KVM_RUN is posted. */
     busy[id] = true;
     if
     :: id == 0 -> asleep = true
     :: id == 1 -> finishing = true
     :: true
     fi;
#ifdef FINISH_FIRST
     if
     :: finishing -> finishing = false; TOUCH(mapped)
     :: else
     fi;
#endif
     do
     :: latch[id] = false;                                                       /* M1, M2 */
#ifdef SLEEP_FIRST
        if
        :: asleep -> latch[id]
        :: else ->
#endif
        if
        :: generation == acknowledged[id]                                        /* F1 */
        :: else ->
           follow();
           cached[id] = 0; /* before the next entry */
           acknowledged[id] = wanted;                                            /* F3 */
           wanted = 0
        fi;
        if
        :: finishing -> finishing = false; TOUCH(mapped)
        :: else
        fi;
        if
        :: asleep -> latch[id]                                                   /* M4 */
        :: !asleep ->
           do                                                                    /* M5 */
           :: atomic { !latch[id] -> cached[id] = mapped }
           :: atomic { !latch[id] -> TOUCH(cached[id]) }
           :: latch[id] -> break                                                 /* M6 */
           :: atomic { !latch[id] -> break }
           od
        fi;
#ifdef SLEEP_FIRST
        fi;
#endif
        if
        :: !asleep -> break /* an exit for the client */
        :: true
        fi
     od;
     atomic { asleep = false; finishing = false; busy[id] = false }              /* C9 */
  :: break
  od
}

init {
  atomic {
    page_of[1] = 1; stamp_of[1] = 1;
    mapped = 1; mapped_stamp = 1;
    acknowledged[0] = 1; acknowledged[1] = 1;
    run Driver();
    run VCPU(0);
    run VCPU(1)
  }
}

ltl no_use_after_free { [] !use_after_free }
ltl no_stale_slot { [] !stale_slot }
ltl change_ends { [] (changing -> <> !changing) }
