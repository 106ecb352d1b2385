/*
 * A keeper stands between a manager and one child, so that the manager can crash, restart or be upgraded and
 * the child does not notice: it starts the child in a session of its own, writes what the child says into log
 * segments (../ring/ring.h), keeps its exit status in their header, and ends the whole tree when it is told
 * to. It is a process, not a library: static, without threads, started by mod.ts.
 *
 *   keeper --folder DIR [OPTION VALUE]... -- PROGRAM [ARGUMENT]...
 *
 * The folder is the instance's own, on a path of at most KEEPER_FOLDER_MAX bytes. In it stand `claim`, made
 * by whoever decides first whether this instance is to be (a keeper that finds it there ends with
 * KEEPER_CLAIMED), the segments, `owner_ended` when the end of its owner was this instance's order to stop,
 * and, while the keeper lives, the sockets `control` and `notify`. The child's environment is the keeper's,
 * with KEEPER_INSTANCE in it.
 *
 * A record's payload begins with the realtime clock in ns as u64; then come the bytes. Kinds are enum
 * keeper_record. Output is recorded as it was read: a record may hold many lines, or a part of one.
 *
 * On `control`, a stream socket for processes of the same user and root, a client sends frames of the same
 * form as records: `u32 length, u32 kind, payload`, padded to 8, kinds are enum keeper_command. A malformed
 * frame ends the connection. Only KEEPER_HAND_OVER is answered; what happens otherwise is in the log.
 *
 * Listening sockets stay open as long as the keeper lives, and are given to whoever asks for them
 * (handover.h): a manager that was killed and is started again has them back, and nobody was refused. The
 * keeper never accepts; when its child closes its own descriptor, connections wait in the backlog for whoever
 * accepts next.
 */
#ifndef HOSTKIT_KEEPER_H
#define HOSTKIT_KEEPER_H

#include <stdint.h>

#define KEEPER_FOLDER_MAX 3000u
/* The folder, in the environment of the child and of all that descend from it. */
#define KEEPER_INSTANCE "HOSTKIT_INSTANCE"
#define KEEPER_OWNER_ENDED "owner_ended"
/* The longest frame of a client; longer input is sent in several. */
#define KEEPER_FRAME_MAX 65536u
/* Connections at a time; for the next one, the one that has been silent longest is closed. */
#define KEEPER_CLIENTS 8u
#define KEEPER_LISTENERS 16u
/* Bytes of all their names, a NUL behind each. */
#define KEEPER_NAMES_MAX 4096u
#define KEEPER_RLIMITS 16u
#define KEEPER_CGROUPS 8u
#define KEEPER_GROUPS 64u

/* What a keeper writes to standard error, before it closes that, once the child has begun; in its place
 * stands why not. */
#define KEEPER_BEGUN "+"

/* Exit status of the keeper itself. What became of the child stands in the header of the newest segment. */
enum keeper_exit {
	KEEPER_DONE = 0,
	KEEPER_USAGE = 64,   /* an option makes no sense; told on standard error */
	KEEPER_FAILED = 71,  /* the system refused something before the child began; told on standard error */
	KEEPER_CLAIMED = 73, /* the instance was given up before this keeper came */
};

enum keeper_record {
	KEEPER_STDOUT = 1, /* of a terminal: everything */
	KEEPER_STDERR = 2,
	KEEPER_NOTIFY = 3, /* one datagram of sd_notify(3), as it came */
	KEEPER_EVENT = 4,  /* one line of text by the keeper: "cannot run PROGRAM: reason" */
};

enum keeper_command {
	KEEPER_INPUT = 1,     /* bytes for the child's standard input */
	KEEPER_END_INPUT = 2, /* closes it; of a terminal: sends its end-of-file character */
	KEEPER_WINDOW = 3,    /* u16 rows, u16 columns */
	KEEPER_SIGNAL = 4,    /* u32 signal, for the child's process group */
	KEEPER_STOP = 5, /* u32 signal for the process group now, u32 ms until SIGKILL for the whole tree */
	KEEPER_HAND_OVER =
	    6, /* asks for the listening sockets: the one command with an answer (handover.h) */
};

/* The exit status that is kept when PROGRAM could not be run, as of a shell: 127 << 8 when it is not there,
 * 126 << 8 for every other reason. */
#define KEEPER_NOT_FOUND 127
#define KEEPER_NOT_RUN 126

#endif
