/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A passed-through device's interrupt, direct or forwarded, while its vCPU loses its CPU and gets it
 * again, the guest changes its route, VFIO frees the interrupt and asks for it again, and Linux moves
 * it. The message is two words, as in the device's table; with remapping they are one
 * entry of the IOMMU's, and the mask stands for the entry being written at once.
 */
#define NOWHERE 0
#define KEPT 1 /* a CPU that is always Linux's */
#define LENT 2 /* the one that the vCPU has, or had */
#define LINUX_VECTOR 1
#define GUEST_VECTOR 2
#ifndef MESSAGES
#define MESSAGES 3
#endif

/* The device, and what it sent that has not arrived. */
byte destination = LENT;
byte vector = GUEST_VECTOR;
bool masked;
byte to;
byte with;
byte sent;

/* Linux */
bool requested = true;     /* VFIO's handler is there */
bool lent = true;          /* the CPU is not Linux's */
bool interrupt_lock;       /* desc->lock */
bool steers = true;        /* our chip is in the vector domain's place */

/* The driver */
bool bypass_lock;
bool listed = true;        /* a producer is there */
bool routed = true;        /* the route is a message to the vCPU */
bool reachable = true;     /* apic_ids */
bool drained;

/* Where interrupts ended. */
byte in_guest;
byte unanswered;           /* forwarded while the vCPU had no CPU: nobody could take it */
byte changers = 3;         /* that may still do something */
bool astray;
bool settled_wrong;

#define LOCK(lock) atomic { !lock -> lock = true }
#define ARRIVED (to == NOWHERE)

/* write_message(), write_entry(): from the return on the old message is nowhere any more. */
inline write(new_destination, new_vector)
{
#ifdef NO_MASK
  destination = new_destination;
  vector = new_vector;
#else
  masked = true;
  destination = new_destination;
  vector = new_vector;
  masked = false;
#endif
#ifndef NO_FLUSH
  ARRIVED                                                                        /* Y4 */
#endif
}

inline steer_back()
{
  LOCK(interrupt_lock);
  if
  :: steers -> write(KEPT, LINUX_VECTOR); steers = false                         /* Y5 */
  :: else
  fi;
  interrupt_lock = false
}

/* bypasses_follow(): whoever changed something calls it afterwards. */
inline follow()
{
#ifdef DECIDE_FIRST
  direct = routed && reachable;
  LOCK(bypass_lock);
#else
  LOCK(bypass_lock);                                                             /* Y2 */
  direct = routed && reachable;
#endif
  if
  :: !listed
  :: listed && direct ->
     LOCK(interrupt_lock);
     steers = true;
     write(LENT, GUEST_VECTOR);                                                  /* Y3 */
     interrupt_lock = false
  :: listed && !direct -> steer_back()
  fi;
  direct = false;
  bypass_lock = false
}

active proctype Device()
{
  do
  :: sent < MESSAGES ->
     atomic {
       if
       :: requested && !masked && ARRIVED -> to = destination; with = vector; sent++
#ifdef FORGET_PENDING
       :: requested && masked -> sent++
#endif
       fi
     }
     atomic {
#ifdef FORGET_PENDING
       if :: to == NOWHERE -> goto next :: else fi;
#endif
       /* Linux's CPU has no handler for a guest's vector, and the guest none for Linux's. */
       if
       :: with == LINUX_VECTOR && to == KEPT ->
          astray = astray || !requested;
          /* vfio_msihandler, the eventfd, the irqfd; apic_ids are read under line_lock. */
          if
          :: routed && reachable -> in_guest++; astray = astray || !lent || drained
          :: else -> unanswered++
          fi
       :: with == GUEST_VECTOR && to == LENT -> in_guest++; astray = astray || !lent || drained
       :: else -> astray = true
       fi;
       to = NOWHERE; with = 0
     }
next: skip
  :: sent == MESSAGES -> break
  od
}

/* vcpu_surrender(), and then a CPU again: bind_to(). */
active proctype Surrender()
{
  bool direct;
#ifdef STRIKE_LATE
  steer_back();
  reachable = false;
#else
  reachable = false;                                                             /* Y1 */
#ifdef DRAIN_FIRST
  drained = true;
#endif
  follow();
#endif
  drained = true;                                                                /* Y6 */
  lent = false;                                                                  /* Y7 */
  lent = true;
  drained = false;
  reachable = true;
#ifndef FORGET_BIND
  follow();
#endif
  changers--
}

/* KVM_SET_GSI_ROUTING */
active proctype Router()
{
  bool direct;
  routed = false;
  follow();
  routed = true;
  follow();
  changers--
}

/* VFIO_DEVICE_SET_IRQS, an irqfd's end: del_producer() comes before the interrupt is freed. */
active proctype Producer()
{
  bool direct;
#ifdef FREE_FIRST
  atomic { masked = true; requested = false };
#endif
  LOCK(bypass_lock);
  steer_back();
  listed = false;
  bypass_lock = false;
  atomic { !interrupt_lock && ARRIVED -> requested = false }; /* free_irq() waits */
  requested = true;
  LOCK(bypass_lock);
  listed = true;
  bypass_lock = false;
  follow(); /* in one with the former in add_producer() */
  changers--
}

/* /proc/irq, irqbalance, a CPU that goes offline: set_affinity() in our chip. */
active proctype Linux()
{
  bool ours;
  byte moves;
  do
  :: moves < 2 ->
     moves++;
#ifdef NO_INTERRUPT_LOCK
     ours = steers;
#else
     LOCK(interrupt_lock);
     ours = steers;
#endif
     if
     :: ours -> write(LENT, GUEST_VECTOR)
     :: !ours -> write(KEPT, LINUX_VECTOR)
     fi;
#ifndef NO_INTERRUPT_LOCK
     interrupt_lock = false
#endif
  :: break
  od
}

/* When all is quiet, it is direct if it can be. */
active proctype Judge()
{
  atomic {
    changers == 0 ->
    settled_wrong = settled_wrong || (steers != (listed && routed && reachable))
  }
}

ltl nothing_astray { [] !astray }
ltl direct_if_it_can_be { [] !settled_wrong }
ltl every_interrupt_ends { <> (sent == MESSAGES && to == NOWHERE && in_guest + unanswered == MESSAGES) }
