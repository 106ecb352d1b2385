/* Descendants by /proc: parents before children, as often as it takes. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for so many processes at first; it doubles. */
#define TREE_FIRST 1024

struct process {
	pid_t pid, parent;
};

/* 0 for zombies, which need no signal. */
static pid_t parent_of(int proc, const char *name)
{
	char path[300], text[512], state;
	int fd, parent;
	ssize_t got;

	snprintf(path, sizeof path, "%s/stat", name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	/* The name is in parentheses and may hold any byte: what counts is the last one. */
	char *at = strrchr(text, ')');

	if (at == NULL || sscanf(at + 1, " %c %d", &state, &parent) != 2 || state == 'Z' || state == 'X')
		return 0;
	return parent;
}

struct listing {
	struct process *at;
	size_t count, room;
	pid_t largest;
};

static bool append(struct listing *list, pid_t pid, pid_t parent)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? TREE_FIRST : 2 * list->room;
		struct process *more = realloc(list->at, room * sizeof *more);

		if (more == NULL)
			return false;
		list->at = more;
		list->room = room;
	}
	list->at[list->count++] = (struct process){.pid = pid, .parent = parent};
	list->largest = pid > list->largest ? pid : list->largest;
	return true;
}

/* What memory does not suffice for is met by the next pass, when others have ended. */
static void list_processes(struct listing *list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		pid_t parent;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		parent = parent_of(dirfd(proc), entry->d_name);
		if (parent > 1 && !append(list, atoi(entry->d_name), parent))
			break;
	}
	if (proc != NULL)
		closedir(proc);
}

static bool has(const uint8_t *set, pid_t pid)
{
	return (set[pid / 8] >> (pid % 8)) & 1;
}

/* Sets the bits of the descendants of `self`, generation by generation. */
static void mark_descendants(const struct listing *list, uint8_t *set, pid_t self)
{
	bool changed = true;

	set[self / 8] |= (uint8_t)(1 << (self % 8));
	while (changed) {
		changed = false;
		for (size_t at = 0; at < list->count; at++) {
			const struct process *p = &list->at[at];

			if (p->parent > list->largest || !has(set, p->parent) || has(set, p->pid))
				continue;
			set[p->pid / 8] |= (uint8_t)(1 << (p->pid % 8));
			changed = true;
		}
	}
}

static void kill_cgroup(const char *folder)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/cgroup.kill", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC); /* absent on version 1, and before Linux 5.14 */
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		fprintf(stderr, "keeper: cannot write %s\n", path); /* the walk below does it */
	close(fd);
}

/* All descendants hang below children of the keeper, their subreaper: without children there are none. */
static bool is_childless(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

int tree_signal(const struct options *o, int signal_number)
{
	struct listing list = {.largest = getpid()};
	pid_t self = getpid();
	uint8_t *set;
	int reached = 0;

	if (signal_number == SIGKILL)
		for (uint32_t at = 0; at < o->cgroup_count; at++)
			kill_cgroup(o->cgroups[at]);
	/* The common case, and a thousand keepers may end at the same time: the walk costs each of them a
	 * look at all the others. */
	if (is_childless())
		return 0;
	list_processes(&list);
	set = calloc(1, (size_t)list.largest / 8 + 1);
	if (set != NULL) {
		mark_descendants(&list, set, self);
		for (size_t at = 0; at < list.count; at++)
			if (list.at[at].pid != self && has(set, list.at[at].pid) &&
			    kill(list.at[at].pid, signal_number) == 0)
				reached++;
	}
	free(set);
	free(list.at);
	return reached;
}
