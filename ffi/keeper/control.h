/* What clients ask of a running keeper, over its control socket. */
#ifndef HOSTKIT_KEEPER_CONTROL_H
#define HOSTKIT_KEEPER_CONTROL_H

#include "options.h"

/* A frame as keeper.h defines it. */
struct frame {
	uint32_t length, kind;
	uint8_t payload[KEEPER_FRAME_MAX];
};

struct client {
	int fd; /* -1: this place is free */
	uint32_t used;
	/* Of input: how much of the frame's payload the child has taken. */
	uint32_t written;
	struct frame *frame;
	uint64_t heard_ns; /* monotonic: when it came, or sent something last */
};

/* Binds a socket of `type` at `name` in the folder, for this user alone. Returns it or -errno. */
int control_bind(const char *folder, const char *name, int type);
/* Takes a connection, unless it is another user's. When there is no free place, the client that has been
 * silent longest has to go, one that is not in the middle of a frame before others. Returns 0, or -errno when
 * nothing can be accepted for now. */
int control_accept(int listener, struct client clients[KEEPER_CLIENTS]);
/* Whether the client's frame has come as a whole. */
bool control_is_whole(const struct client *c);
/* Reads what the client has sent; true when its frame is whole. Closes the client on its end, on a malformed
 * frame and on a failure. */
bool control_read(struct client *c);
/* Makes ready for the client's next frame. */
void control_next(struct client *c);
void control_close(struct client *c);

#endif
