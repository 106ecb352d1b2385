/* What a keeper is told to do. */
#ifndef HOSTKIT_KEEPER_OPTIONS_H
#define HOSTKIT_KEEPER_OPTIONS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "../ring/ring.h"
#include "keeper.h"

enum stdin_policy { STDIN_NULL, STDIN_PIPE, STDIN_TERMINAL };

struct options {
	const char *folder, *cwd;
	uint64_t segment_bytes, retain_bytes;
	uint32_t overflow; /* enum segments_overflow */
	enum stdin_policy input;
	uint16_t rows, columns;
	bool set_nice, set_umask, set_uid, set_gid, notify, keep_orphan;
	int nice;
	mode_t umask;
	uid_t uid;
	gid_t gid;
	gid_t groups[KEEPER_GROUPS];
	uint32_t group_count;
	struct {
		int resource;
		struct rlimit limit;
	} rlimits[KEEPER_RLIMITS];
	uint32_t rlimit_count;
	const char *cgroups[KEEPER_CGROUPS];
	uint32_t cgroup_count;
	struct {
		int fd;
		bool passed; /* to the child; else only kept, for whoever asks */
		const char *name;
	} listeners[KEEPER_LISTENERS];
	uint32_t listener_count, listener_bytes; /* bytes of the names with a NUL behind each */
	const char *watchdog_us;
	pid_t owner; /* 0: none; its end is this keeper's order to stop */
	uint64_t owner_start;
	uint32_t leftover_ms; /* for descendants that outlive the child: after SIGTERM, until SIGKILL */
	char **command;
};

/* Reads the command line. On failure tells what is wrong on standard error and returns -1. */
int options_parse(int argc, char **argv, struct options *out);

#endif
