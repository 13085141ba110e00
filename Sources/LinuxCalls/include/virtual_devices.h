/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of TAP interfaces and of vhost as constants: Swift does not import macros that take a
 * type. Each keeps the name of its macro in linux/if_tun.h or linux/vhost.h, with a trailing underscore.
 */
#ifndef VIRTUAL_DEVICES_H
#define VIRTUAL_DEVICES_H

#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <stdint.h>
#include <sys/random.h>

#define DEVICE_NUMBER(name) static const uint32_t name##_ = (uint32_t)name

DEVICE_NUMBER(TUNSETIFF);
DEVICE_NUMBER(TUNSETOFFLOAD);
DEVICE_NUMBER(TUNSETVNETHDRSZ);
DEVICE_NUMBER(VHOST_SET_OWNER);
DEVICE_NUMBER(VHOST_GET_FEATURES);
DEVICE_NUMBER(VHOST_SET_FEATURES);
DEVICE_NUMBER(VHOST_SET_MEM_TABLE);
DEVICE_NUMBER(VHOST_SET_VRING_NUM);
DEVICE_NUMBER(VHOST_SET_VRING_BASE);
DEVICE_NUMBER(VHOST_SET_VRING_ADDR);
DEVICE_NUMBER(VHOST_SET_VRING_KICK);
DEVICE_NUMBER(VHOST_SET_VRING_CALL);
DEVICE_NUMBER(VHOST_NET_SET_BACKEND);
DEVICE_NUMBER(VHOST_VSOCK_SET_GUEST_CID);
DEVICE_NUMBER(VHOST_VSOCK_SET_RUNNING);

#undef DEVICE_NUMBER

/* TUNSETIFF for the interface of that name, with TAP_FLAGS: 0, or -1 with errno. */
__attribute__((swift_name("attachTAP(_:name:flags:)")))
int linux_attach_tap(int descriptor, const char *name, short flags);

/*
 * Locks a whole file for as long as it is open, against whoever locks it likewise or any byte of it
 * (F_OFD_SETLK): 0, or -1 with errno, EAGAIN if somebody has it.
 */
__attribute__((swift_name("lockFile(_:exclusively:)")))
int linux_lock_file(int descriptor, int exclusively);

/* The bytes of a block device, or -1 with errno: ioctl BLKGETSIZE64. */
__attribute__((swift_name("blockDeviceSize(_:)")))
int64_t linux_block_device_size(int descriptor);

/* The index and the flags of a virtqueue, which the guest writes at any time: one access each. */
__attribute__((always_inline, swift_name("loadAcquire16(_:)")))
static inline uint16_t load_acquire16(const void *word)
{
	return __atomic_load_n((const uint16_t *)word, __ATOMIC_ACQUIRE);
}

__attribute__((always_inline, swift_name("storeRelease16(_:_:)")))
static inline void store_release16(void *word, uint16_t value)
{
	__atomic_store_n((uint16_t *)word, value, __ATOMIC_RELEASE);
}

/* What was stored before is seen before what is loaded after. */
__attribute__((always_inline, swift_name("fullBarrier()")))
static inline void full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
