/* The control socket: who may connect, and frames put together from the bytes that come. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 16
#define FRAME_HEADER 8u

int control_bind(const char *folder, const char *name, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), result = 0;
	mode_t before;

	if (fd < 0)
		return -errno;
	/* A path may be longer than an address: the name is bound from inside the folder. */
	snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
	before = umask(0177);
	if (chdir(folder) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		result = -errno;
	umask(before);
	if (chdir("/") < 0 && result == 0)
		result = -errno;
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* A free place, or that of whoever has been silent longest. */
static struct client *make_place(struct client clients[KEEPER_CLIENTS])
{
	struct client *found = NULL;

	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++) {
		struct client *c = &clients[at];

		if (c->fd < 0)
			return c;
		if (found == NULL || (c->used == 0) > (found->used == 0) ||
		    ((c->used == 0) == (found->used == 0) && c->heard_ns < found->heard_ns))
			found = c;
	}
	control_close(found);
	return found;
}

int control_accept(int listener, struct client clients[KEEPER_CLIENTS])
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *place;

	/* Whoever has gone away again meanwhile is no reason to wait. */
	if (fd < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
	if (!is_ours(fd)) {
		close(fd);
		return 0;
	}
	place = make_place(clients);
	/* Made for whoever comes and kept: a keeper nobody talks to has none. */
	if (place->frame == NULL)
		place->frame = malloc(sizeof(struct frame));
	if (place->frame == NULL) {
		close(fd);
		return -ENOMEM;
	}
	place->fd = fd;
	place->heard_ns = now_ns();
	control_next(place);
	return 0;
}

static uint32_t frame_bytes(const struct client *c)
{
	if (c->used < FRAME_HEADER)
		return FRAME_HEADER;
	return FRAME_HEADER + ((c->frame->length + 7) & ~7u);
}

bool control_is_whole(const struct client *c)
{
	return c->used >= FRAME_HEADER && c->used == frame_bytes(c);
}

bool control_read(struct client *c)
{
	for (;;) {
		if (control_is_whole(c))
			return true;
		ssize_t got = read(c->fd, (uint8_t *)c->frame + c->used, frame_bytes(c) - c->used);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (got > 0) {
			c->used += (uint32_t)got;
			c->heard_ns = now_ns();
		}
		if (got <= 0 || (c->used == FRAME_HEADER && c->frame->length > KEEPER_FRAME_MAX)) {
			control_close(c);
			return false;
		}
	}
}

void control_next(struct client *c)
{
	c->used = 0;
	c->written = 0;
}

void control_close(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}
