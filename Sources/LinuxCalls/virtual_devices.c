// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "virtual_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int linux_attach_tap(int descriptor, const char *name, short flags)
{
	struct ifreq request = { .ifr_flags = flags };

	if (strlen(name) >= sizeof(request.ifr_name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(request.ifr_name, name);
	return ioctl(descriptor, TUNSETIFF, &request);
}

int linux_lock_file(int descriptor, int exclusively)
{
	struct flock lock = {
		.l_type = exclusively ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int64_t linux_block_device_size(int descriptor)
{
	uint64_t size;

	return ioctl(descriptor, BLKGETSIZE64, &size) ? -1 : (int64_t)size;
}
