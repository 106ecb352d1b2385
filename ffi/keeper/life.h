/* What the files of the keeper share. */
#ifndef HOSTKIT_KEEPER_LIFE_H
#define HOSTKIT_KEEPER_LIFE_H

#include "child.h"
#include "control.h"
#include "output.h"

struct keeper {
	struct options options;
	struct output output;
	struct child child;
	int signals, control, notify, owner;
	struct client clients[KEEPER_CLIENTS];
	bool child_gone;
	/* 0 or monotonic times in ns: when the whole tree is killed, and when connections are taken again. */
	uint64_t kill_at, accept_at;
	char notify_path[KEEPER_FOLDER_MAX + 64];
};

/* Until the child's program runs, or could not be run: then the child's end is told before it is told that it
 * began. */
void keeper_await_program(struct keeper *k);
/* Copies and obeys until nothing is left. */
void keeper_run(struct keeper *k);
/* Sends `number` (0: nothing) to the process group, and has the whole tree killed after `grace_ms`. */
void keeper_stop(struct keeper *k, uint32_t number, uint32_t grace_ms);
void keeper_signal(struct keeper *k, uint32_t number);

/* Does what the client's whole frame says. False when the frame has to wait: the child takes no input just
 * now. */
bool command_obey(struct keeper *k, struct client *c);
/* Whether such a frame is there: it is tried again, and no more is read of the client meanwhile. */
bool command_waits(const struct client *c);

#endif
