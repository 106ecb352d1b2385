/*
 * How a keeper gives away the listening sockets it keeps: the client's side, for managers that were started
 * anew (../sockets) and for programs that bind (../interpose). Both sides: a frame of kind KEEPER_HAND_OVER
 * without payload is asked; the answer is a frame of the same kind, its payload the sockets' names with a NUL
 * behind each, and with its first byte come the descriptors, in the same order.
 */
#ifndef HOSTKIT_KEEPER_HANDOVER_H
#define HOSTKIT_KEEPER_HANDOVER_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper.h"

/* Connects to the control socket in a keeper's folder, with a limit for this and all that follows. */
static inline int handover_connect(const char *folder, uint32_t limit_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000};
	int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, result = 0;

	if (at < 0)
		return -errno;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		result = -errno;
	/* A folder's path may be longer than an address. */
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", at);
	if (result == 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	                       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
	                       connect(fd, (struct sockaddr *)&address, sizeof address) < 0))
		result = -errno;
	close(at);
	if (result == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return result;
}

/* Takes the descriptors of a message; returns how many. */
static inline uint32_t handover_descriptors(struct msghdr *message, int fds[KEEPER_LISTENERS])
{
	uint32_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); at++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at * sizeof fd, sizeof fd);
			if (count < KEEPER_LISTENERS)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

/* How many names are whole. */
static inline uint32_t handover_names(const char *names, uint32_t bytes)
{
	uint32_t count = 0;

	for (uint32_t at = 0; at < bytes; at++)
		count += names[at] == '\0';
	return count;
}

/*
 * Asks the keeper of `folder` for its listening sockets. Returns how many came, with their names in `names`,
 * a NUL behind each; they are the caller's, close-on-exec. -errno of the connection, -ETIMEDOUT after
 * `limit_ms`, -EPROTO on an answer that makes no sense. Blocks up to twice the limit.
 */
static inline int handover_ask(
    const char *folder, uint32_t limit_ms, int fds[KEEPER_LISTENERS], char names[KEEPER_NAMES_MAX])
{
	const uint32_t question[2] = {0, KEEPER_HAND_OVER};
	uint32_t header[2], count;
	union {
		char room[CMSG_SPACE(KEEPER_LISTENERS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec into = {header, sizeof header};
	struct msghdr message = {
	    .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	int fd = handover_connect(folder, limit_ms);
	ssize_t got;

	if (fd < 0)
		return fd;
	if (send(fd, question, sizeof question, MSG_NOSIGNAL) != sizeof question ||
	    (got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL)) < 0) {
		int result = errno == EAGAIN ? -ETIMEDOUT : -errno;

		close(fd);
		return result;
	}
	count = handover_descriptors(&message, fds);
	if (got != sizeof header || header[1] != KEEPER_HAND_OVER || header[0] > KEEPER_NAMES_MAX ||
	    (header[0] > 0 && recv(fd, names, header[0], MSG_WAITALL) != (ssize_t)header[0]) ||
	    handover_names(names, header[0]) != count) {
		for (uint32_t at = 0; at < count; at++)
			close(fds[at]);
		close(fd);
		return -EPROTO;
	}
	close(fd);
	return (int)count;
}

#endif
