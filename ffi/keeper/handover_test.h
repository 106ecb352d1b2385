/* For tests in C: a process that gives sockets away as a keeper does, or answers something else. */
#ifndef HOSTKIT_KEEPER_HANDOVER_TEST_H
#define HOSTKIT_KEEPER_HANDOVER_TEST_H

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "handover.h"

#define CHECK(that)                                                                                          \
	do {                                                                                                 \
		if (!(that)) {                                                                               \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #that);                   \
			exit(1);                                                                             \
		}                                                                                            \
	} while (0)

struct answer {
	const void *bytes;
	size_t length;
	const int *fds;
	size_t fd_count;
};

static inline void fake_answer(int client, const struct answer *a)
{
	union {
		char room[CMSG_SPACE(KEEPER_LISTENERS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec from = {(void *)(uintptr_t)a->bytes, a->length};
	struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};

	if (a->fd_count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(a->fd_count * sizeof(int));
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

		*rights = (struct cmsghdr){CMSG_LEN(a->fd_count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(rights), a->fds, a->fd_count * sizeof(int));
	}
	CHECK(sendmsg(client, &message, MSG_NOSIGNAL) == (ssize_t)a->length);
}

/* Answers every client of the folder alike until it is killed; without bytes not at all. Returns its pid. */
static inline pid_t fake_keeper(const char *folder, const struct answer *a)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/control", folder);
	unlink(address.sun_path);
	CHECK(syscall(SYS_bind, fd, &address, sizeof address) == 0 && syscall(SYS_listen, fd, 8) == 0);
	pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	for (;;) {
		uint32_t question[2];
		int client = (int)syscall(SYS_accept4, fd, NULL, NULL, 0);

		CHECK(recv(client, question, sizeof question, MSG_WAITALL) == sizeof question);
		CHECK(question[0] == 0 && question[1] == KEEPER_HAND_OVER);
		if (a->length > 0)
			fake_answer(client, a);
		if (a->length > 0)
			close(client);
	}
}

static inline void end_fake_keeper(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

#endif
