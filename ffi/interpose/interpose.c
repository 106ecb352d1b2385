/* The functions that take the places of libc's own. */
#include "interpose.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "../keeper/handover.h"

#define PATH_BYTES (KEEPER_FOLDER_MAX + 16)

/* What a descriptor is: a held socket, and whether the program believes it to be non-blocking. */
enum { NOT_HELD, HELD_BLOCKING, HELD_NONBLOCKING };
static _Atomic uint8_t held[INTERPOSE_FDS];
/* Of the held socket that was found last; every other one of this program drains with it. */
static char drain_path[PATH_BYTES];

static int raw_fcntl(int fd, int command, long argument)
{
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* A descriptor may have been closed and be something else by now: only one that listens is still held. */
static bool is_held(int fd)
{
	int listens = 0;
	socklen_t bytes = sizeof listens;

	if (fd < 0 || (unsigned)fd >= INTERPOSE_FDS || atomic_load(&held[fd]) == NOT_HELD)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) == 0 && listens)
		return true;
	atomic_store(&held[fd], NOT_HELD);
	return false;
}

/* The port that a stream socket is to be bound to, or 0. */
static unsigned port_of(int fd, const struct sockaddr *address, socklen_t bytes)
{
	struct sockaddr_in internet;
	int type = 0;
	socklen_t type_bytes = sizeof type;

	if (address == NULL || bytes < sizeof internet ||
	    (address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_bytes) < 0 || type != SOCK_STREAM)
		return 0;
	memcpy(&internet, address, sizeof internet);
	return ntohs(internet.sin_port);
}

/* Where the socket for a port is to be had. */
struct place {
	const char *name, *folder;
	size_t name_bytes;
};

/* Finds the port among PORT=NAME:...:FOLDER. */
static bool find_port(const char *text, unsigned port, struct place *out)
{
	*out = (struct place){NULL, NULL, 0};

	while (*text >= '0' && *text <= '9') {
		char *after;
		unsigned long number = strtoul(text, &after, 10);
		const char *end = strchr(after, ':');

		if (*after != '=' || end == NULL)
			return false;
		if (number == port) {
			out->name = after + 1;
			out->name_bytes = (size_t)(end - after - 1);
		}
		text = end + 1;
	}
	out->folder = text;
	return out->name != NULL && text[0] == '/' && strlen(text) <= KEEPER_FOLDER_MAX;
}

/* What is told to this program is not told to those that it starts. */
static void unset_itself(void)
{
	const char *list = getenv("LD_PRELOAD");
	char *rest = list == NULL ? NULL : malloc(strlen(list) + 1);
	size_t used = 0;

	unsetenv(INTERPOSE_VARIABLE);
	if (rest == NULL)
		return;
	/* Entries are parted by colons or spaces. */
	for (const char *at = list; *at != '\0';) {
		size_t bytes = strcspn(at, ": "), own = strlen(INTERPOSE_OBJECT);
		bool is_own = bytes >= own && memcmp(at + bytes - own, INTERPOSE_OBJECT, own) == 0;

		if (!is_own && bytes > 0) {
			if (used > 0)
				rest[used++] = ':';
			memcpy(rest + used, at, bytes);
			used += bytes;
		}
		at += bytes;
		at += strspn(at, ": ");
	}
	rest[used] = '\0';
	if (used > 0)
		setenv("LD_PRELOAD", rest, 1);
	else
		unsetenv("LD_PRELOAD");
	free(rest);
}

/* The keeper's socket of that name, close-on-exec, or -1. */
static int ask_for(const struct place *place)
{
	int fds[KEEPER_LISTENERS], found = -1;
	char names[KEEPER_NAMES_MAX];
	int count = handover_ask(place->folder, INTERPOSE_LIMIT_MS, fds, names);
	const char *each = names;

	for (int at = 0; at < count; at++, each += strlen(each) + 1) {
		if (found < 0 && strlen(each) == place->name_bytes &&
		    memcmp(each, place->name, place->name_bytes) == 0)
			found = fds[at];
		else
			close(fds[at]);
	}
	return found;
}

/* What was told at first, once it has been found and unset: a program may bind twice, to try whether a port
 * is free.
 */
static char *told;

static bool take_held(int fd, unsigned port)
{
	const char *text = told != NULL ? told : getenv(INTERPOSE_VARIABLE);
	struct place place;
	int flags = raw_fcntl(fd, F_GETFL, 0), fd_flags = raw_fcntl(fd, F_GETFD, 0), from;

	if (text == NULL || getauxval(AT_SECURE) != 0 || (unsigned)fd >= INTERPOSE_FDS || flags < 0 ||
	    !find_port(text, port, &place))
		return false;
	from = ask_for(&place);
	if (from < 0)
		return false;
	if (syscall(SYS_dup3, from, fd, fd_flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0) {
		close(from);
		return false;
	}
	close(from);
	snprintf(drain_path, sizeof drain_path, "%s/drain", place.folder);
	atomic_store(&held[fd], flags & O_NONBLOCK ? HELD_NONBLOCKING : HELD_BLOCKING);
	if (told == NULL) {
		told = strdup(text);
		unset_itself();
	}
	return true;
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t bytes)
{
	int before = errno;
	unsigned port = fd < 0 ? 0 : port_of(fd, address.__sockaddr__, bytes);

	if (port != 0 && take_held(fd, port)) {
		errno = before;
		return 0;
	}
	return (int)syscall(SYS_bind, fd, address.__sockaddr__, bytes);
}

int listen(int fd, int backlog)
{
	return is_held(fd) ? 0 : (int)syscall(SYS_listen, fd, backlog);
}

static bool is_draining(void)
{
	int before = errno;
	bool is = syscall(SYS_faccessat, AT_FDCWD, drain_path, F_OK) == 0;

	errno = before;
	return is;
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict bytes, int flags)
{
	if (!is_held(fd))
		return (int)syscall(SYS_accept4, fd, address.__sockaddr__, bytes, flags);
	for (;;) {
		struct pollfd incoming = {.fd = fd, .events = POLLIN};
		bool draining = is_draining();
		int got = -1;

		errno = EAGAIN;
		if (!draining)
			got = (int)syscall(SYS_accept4, fd, address.__sockaddr__, bytes, flags);
		if (got >= 0 || errno != EAGAIN || atomic_load(&held[fd]) == HELD_NONBLOCKING)
			return got;
		/* Another program may be faster. */
		if (poll(draining ? NULL : &incoming, draining ? 0 : 1, INTERPOSE_LOOK_MS) < 0)
			return -1;
	}
}

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict bytes)
{
	return accept4(fd, address, bytes, 0);
}

static void believe(int fd, bool nonblocking)
{
	atomic_store(&held[fd], nonblocking ? HELD_NONBLOCKING : HELD_BLOCKING);
}

/* F_GETOWN of a process group is a negative number that syscall(2) would take for a failure. */
static int get_owner(int fd)
{
	struct f_owner_ex owner;
	int result = raw_fcntl(fd, F_GETOWN_EX, (long)&owner);

	if (result < 0)
		return result;
	return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

static int duplicate(int fd, int command, long least)
{
	bool is = is_held(fd);
	int copy = raw_fcntl(fd, command, least);

	if (is && copy >= 0 && (unsigned)copy < INTERPOSE_FDS)
		atomic_store(&held[copy], atomic_load(&held[fd]));
	return copy;
}

static int any_fcntl(int fd, int command, long argument)
{
	int flags;

	if (command == F_GETOWN)
		return get_owner(fd);
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		return duplicate(fd, command, argument);
	if ((command != F_GETFL && command != F_SETFL) || !is_held(fd))
		return raw_fcntl(fd, command, argument);
	if (command == F_SETFL) {
		believe(fd, argument & O_NONBLOCK);
		return raw_fcntl(fd, F_SETFL, argument | O_NONBLOCK);
	}
	flags = raw_fcntl(fd, F_GETFL, 0);
	return atomic_load(&held[fd]) == HELD_BLOCKING && flags >= 0 ? flags & ~O_NONBLOCK : flags;
}

int fcntl(int fd, int command, ...)
{
	va_list list;

	va_start(list, command);
	long argument = va_arg(list, long);

	va_end(list);
	return any_fcntl(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
	va_list list;

	va_start(list, command);
	long argument = va_arg(list, long);

	va_end(list);
	return any_fcntl(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;

	va_start(list, request);
	long argument = va_arg(list, long);

	va_end(list);
	if (request == FIONBIO && is_held(fd)) {
		believe(fd, *(const int *)argument != 0);
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}
