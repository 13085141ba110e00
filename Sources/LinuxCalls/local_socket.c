// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(int descriptor)
{
	int error = errno;

	close(descriptor);
	errno = error;
	return -1;
}

static int open_socket(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof address->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int local_socket_listen(const char *path)
{
	struct sockaddr_un address;
	int descriptor = open_socket(path, &address);

	if (descriptor < 0)
		return -1;
	if (bind(descriptor, (struct sockaddr *)&address, sizeof address))
		return fail(descriptor);
	if (chmod(path, 0600) || listen(descriptor, 16)) {
		int error = errno;

		unlink(path);
		errno = error;
		return fail(descriptor);
	}
	return descriptor;
}

int local_socket_connect(const char *path)
{
	struct sockaddr_un address;
	int descriptor = open_socket(path, &address);

	if (descriptor < 0)
		return -1;
	if (connect(descriptor, (struct sockaddr *)&address, sizeof address))
		return fail(descriptor);
	return descriptor;
}

int local_socket_accept(int descriptor)
{
	return accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int local_socket_peer(int descriptor, uid_t *user, pid_t *process)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return -1;
	*user = peer.uid;
	*process = peer.pid;
	return 0;
}
