/*
 * Listening sockets that outlive the programs that accept on them. Functions return 0 or a value, and -errno
 * on failure; any thread may call them. Descriptors are the caller's, close-on-exec and non-blocking, until
 * sockets_close. Only sockets_adopt blocks, for at most twice its limit.
 */
#ifndef HOSTKIT_SOCKETS_H
#define HOSTKIT_SOCKETS_H

#include "../export.h"

/* Connections that wait to be accepted; the kernel takes less when net.core.somaxconn says so. */
#define SOCKETS_BACKLOG 4096
/* Room for an address as text. */
#define SOCKETS_ADDRESS 128u
enum sockets_family { SOCKETS_IP = 1, SOCKETS_UNIX = 2 };

/* Listens on a numeric address, version 4 or 6, also while connections of an earlier listener are still
 * closing; port 0 is one that is free. "::" takes both versions. -EINVAL when the address is none. */
HK_EXPORT int sockets_listen_ip(const char *address, uint16_t port);
/* Listens on a path, for this user alone; takes over a socket file that nobody listens on. */
HK_EXPORT int sockets_listen_unix(const char *path);
/* Address as text in SOCKETS_ADDRESS bytes, and the port; returns enum sockets_family. */
HK_EXPORT int sockets_address(int32_t fd, char *text, uint16_t *port);
/* Whether a program that is started from now on gets the descriptor. */
HK_EXPORT int sockets_set_inherited(int32_t fd, uint32_t inherited);
/* Makes a listening socket that came with the program what those of sockets_listen_ip are: close-on-exec and
 * non-blocking. -EINVAL when it is no listening stream socket, -ENOTSOCK when it is none at all. */
HK_EXPORT int sockets_take(int32_t fd);
/* Sends a message to a datagram socket at a path, or at an abstract name that begins with '@', without
 * waiting. -ENAMETOOLONG, -ENOENT, -ECONNREFUSED, -EAGAIN when its reader has too much to read. */
HK_EXPORT int sockets_notify(const char *path, const char *message, uint32_t bytes);
/* A second descriptor of the same socket. */
HK_EXPORT int sockets_duplicate(int32_t fd);
HK_EXPORT int sockets_close(int32_t fd);
/* Connections that wait to be accepted on a listening TCP socket. */
HK_EXPORT int sockets_waiting(int32_t fd);
/* Who is at the other end of a connected socket of a path: process id, user and group into three words.
 * -ENOTCONN. */
HK_EXPORT int sockets_peer(int32_t fd, uint32_t *pid_uid_gid);
/* Asks the keeper of a folder for its sockets (../keeper/handover.h): room for 16 descriptors and 4,096 bytes
 * of names. Returns how many. Blocks. */
HK_EXPORT int sockets_adopt(const char *folder, uint32_t limit_ms, int32_t *fds, char *names);
/* Connects to the control socket of the keeper of a folder, whose path may be longer than an address. Blocks
 * up to the limit. Returns a descriptor. */
HK_EXPORT int sockets_connect_keeper(const char *folder, uint32_t limit_ms);
/* Sends what there is room for just now; returns how much that was, -EAGAIN for nothing. */
HK_EXPORT int64_t sockets_send(int32_t fd, const uint8_t *bytes, uint64_t count);

#endif
