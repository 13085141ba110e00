/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets, which do not block and do not survive exec. All return -1 with errno. */
#ifndef LOCAL_SOCKET_H
#define LOCAL_SOCKET_H

#include <sys/types.h>

/* Binds a new socket to the path, for the owner alone, and listens there. */
__attribute__((swift_name("listenLocally(at:)")))
int local_socket_listen(const char *path);

/* ECONNREFUSED: nobody listens there any more; EAGAIN: too many wait there already. */
__attribute__((swift_name("connectLocally(to:)")))
int local_socket_connect(const char *path);

__attribute__((swift_name("acceptLocally(_:)")))
int local_socket_accept(int descriptor);

/* The user at the other end, as the kernel saw him when he connected. */
__attribute__((swift_name("localPeer(_:user:process:)")))
int local_socket_peer(int descriptor, uid_t *user, pid_t *process);

#endif
