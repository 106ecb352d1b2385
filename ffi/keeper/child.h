/* The child: started with everything the options ask for. */
#ifndef HOSTKIT_KEEPER_CHILD_H
#define HOSTKIT_KEEPER_CHILD_H

#include "options.h"

/* A full pipe stops the child; with this much in it, it is seldom full before the keeper has come round. */
#define CHILD_PIPE_BYTES (1 << 20)
/* Without rights all pipes of a user share 64 MiB (pipe-user-pages-soft); beyond, each new one gets 8 KiB. So
 * much of it leaves something for everybody else. */
#define CHILD_PIPE_MODEST_BYTES (1 << 18)

struct child {
	pid_t pid;
	int output, errors; /* reading ends, non-blocking; of a terminal: its master, and -1 */
	int input;          /* writing end, non-blocking; of a terminal: its master; -1 without */
	int failure; /* delivers an enum child_step and an errno when exec did not come, else its end */
	int go;      /* writing end: the child waits for child_release before it becomes the program */
};

/* What a child was about to do when it gave up. */
enum child_step {
	STEP_SESSION,
	STEP_TERMINAL,
	STEP_CGROUP,
	STEP_LISTENERS,
	STEP_LIMIT,
	STEP_NICE,
	STEP_GROUPS,
	STEP_USER,
	STEP_DIRECTORY,
	STEP_EXEC,
};

struct child_failure {
	uint32_t step;
	int32_t errno_value;
};

/* Forks. `notify_path` is NULL or the socket that NOTIFY_SOCKET names. Returns 0 or -errno. */
int child_start(const struct options *o, const char *notify_path, struct child *out);
/* Lets the child go on, once its pid is written down: a keeper that is killed before has started nothing. */
void child_release(struct child *c);
/* "change to directory", for messages. */
const char *child_step_text(uint32_t step);

#endif
