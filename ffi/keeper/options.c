/* The keeper's command line: pairs of an option and its value up to "--", then the child's command. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES (256u << 10)
#define RETAIN_BYTES (10u << 20)
#define LEFTOVER_MS 1000u
#define LISTENER "FD=NAME, from 3, without a colon, at most 16 of them with 4096 bytes of names"

/* Reads digits up to `end`, at most `max`. */
static bool read_number(const char **text, uint64_t max, char end, uint64_t *out)
{
	char *after;

	if (**text < '0' || **text > '9')
		return false;
	*out = strtoull(*text, &after, 10);
	if (*out > max || *after != end)
		return false;
	*text = end == '\0' ? after : after + 1;
	return true;
}

static bool whole_number(const char *text, uint64_t max, uint64_t *out)
{
	return read_number(&text, max, '\0', out);
}

static bool take_folder(struct options *o, char *text)
{
	o->folder = text;
	return text[0] == '/' && strlen(text) <= KEEPER_FOLDER_MAX;
}

static bool take_cwd(struct options *o, char *text)
{
	o->cwd = text;
	return text[0] == '/';
}

static bool take_segment(struct options *o, char *text)
{
	return whole_number(text, RING_DATA_MAX, &o->segment_bytes);
}

static bool take_retain(struct options *o, char *text)
{
	return whole_number(text, UINT64_MAX, &o->retain_bytes);
}

static bool take_overflow(struct options *o, char *text)
{
	o->overflow = strcmp(text, "block") == 0 ? SEGMENTS_BLOCK : SEGMENTS_DROP_OLDEST;
	return o->overflow == SEGMENTS_BLOCK || strcmp(text, "drop") == 0;
}

static bool take_input(struct options *o, char *text)
{
	o->input = strcmp(text, "pipe") == 0 ? STDIN_PIPE : STDIN_NULL;
	return o->input == STDIN_PIPE || strcmp(text, "null") == 0;
}

static bool take_terminal(struct options *o, char *text)
{
	const char *at = text;
	uint64_t rows, columns;

	if (!read_number(&at, UINT16_MAX, 'x', &rows) || !read_number(&at, UINT16_MAX, '\0', &columns))
		return false;
	o->input = STDIN_TERMINAL;
	o->rows = (uint16_t)rows;
	o->columns = (uint16_t)columns;
	return true;
}

static bool take_nice(struct options *o, char *text)
{
	uint64_t number;

	if (!whole_number(text[0] == '-' ? text + 1 : text, 20, &number))
		return false;
	o->set_nice = true;
	o->nice = text[0] == '-' ? -(int)number : (int)number;
	return true;
}

static bool take_umask(struct options *o, char *text)
{
	uint64_t number;

	o->set_umask = true;
	if (!whole_number(text, 0777, &number))
		return false;
	o->umask = (mode_t)number;
	return true;
}

static bool take_uid(struct options *o, char *text)
{
	uint64_t number;

	o->set_uid = true;
	if (!whole_number(text, UINT32_MAX - 1, &number))
		return false;
	o->uid = (uid_t)number;
	return true;
}

static bool take_gid(struct options *o, char *text)
{
	uint64_t number;

	o->set_gid = true;
	if (!whole_number(text, UINT32_MAX - 1, &number))
		return false;
	o->gid = (gid_t)number;
	return true;
}

static bool take_group(struct options *o, char *text)
{
	uint64_t number;

	if (o->group_count == KEEPER_GROUPS || !whole_number(text, UINT32_MAX - 1, &number))
		return false;
	o->groups[o->group_count++] = (gid_t)number;
	return true;
}

/* RESOURCE=SOFT:HARD in numbers of getrlimit(2); the manager knows the names. */
static bool take_rlimit(struct options *o, char *text)
{
	const char *at = text;
	uint64_t resource, soft, hard;

	if (o->rlimit_count == KEEPER_RLIMITS || !read_number(&at, RLIM_NLIMITS - 1, '=', &resource) ||
	    !read_number(&at, UINT64_MAX, ':', &soft) || !read_number(&at, UINT64_MAX, '\0', &hard))
		return false;
	o->rlimits[o->rlimit_count].resource = (int)resource;
	o->rlimits[o->rlimit_count++].limit = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
	return true;
}

static bool take_cgroup(struct options *o, char *text)
{
	if (o->cgroup_count == KEEPER_CGROUPS || text[0] != '/')
		return false;
	o->cgroups[o->cgroup_count++] = text;
	return true;
}

/* FD=NAME: an inherited listening socket. */
static bool add_listener(struct options *o, const char *text, bool passed)
{
	const char *at = text;
	size_t room = KEEPER_NAMES_MAX - o->listener_bytes;
	uint64_t fd;

	if (o->listener_count == KEEPER_LISTENERS || !read_number(&at, INT32_MAX, '=', &fd) || fd < 3 ||
	    *at == '\0' || strchr(at, ':') != NULL || strlen(at) >= room)
		return false;
	o->listener_bytes += (uint32_t)strlen(at) + 1;
	o->listeners[o->listener_count].fd = (int)fd;
	o->listeners[o->listener_count].passed = passed;
	o->listeners[o->listener_count++].name = at;
	return true;
}

static bool take_listener(struct options *o, char *text)
{
	return add_listener(o, text, true);
}

static bool take_held(struct options *o, char *text)
{
	return add_listener(o, text, false);
}

static bool take_notify(struct options *o, char *text)
{
	o->notify = strcmp(text, "yes") == 0;
	return o->notify || strcmp(text, "no") == 0;
}

static bool take_watchdog(struct options *o, char *text)
{
	uint64_t number;

	o->watchdog_us = text;
	return whole_number(text, UINT64_MAX, &number);
}

/* PID:START, so that a pid that is used again is not taken for the owner. */
static bool take_owner(struct options *o, char *text)
{
	const char *at = text;
	uint64_t pid;

	if (!read_number(&at, INT32_MAX, ':', &pid) || !read_number(&at, UINT64_MAX, '\0', &o->owner_start))
		return false;
	o->owner = (pid_t)pid;
	return true;
}

static bool take_orphan(struct options *o, char *text)
{
	o->keep_orphan = strcmp(text, "keep") == 0;
	return o->keep_orphan || strcmp(text, "kill") == 0;
}

static bool take_leftover(struct options *o, char *text)
{
	uint64_t number;

	if (!whole_number(text, 3600000, &number))
		return false;
	o->leftover_ms = (uint32_t)number;
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct options *, char *);
	const char *expected;
} OPTIONS[] = {
    {"--folder", take_folder, "an absolute path"},
    {"--cwd", take_cwd, "an absolute path"},
    {"--segment-bytes", take_segment, "a number"},
    {"--retain-bytes", take_retain, "a number"},
    {"--overflow", take_overflow, "drop or block"},
    {"--stdin", take_input, "null or pipe"},
    {"--pty", take_terminal, "ROWSxCOLUMNS"},
    {"--nice", take_nice, "a number from -20 to 20"},
    {"--umask", take_umask, "a number up to 511"},
    {"--uid", take_uid, "a user id"},
    {"--gid", take_gid, "a group id"},
    {"--group", take_group, "a group id, at most 64 of them"},
    {"--rlimit", take_rlimit, "RESOURCE=SOFT:HARD in numbers"},
    {"--cgroup", take_cgroup, "an absolute path, at most 8 of them"},
    {"--listen", take_listener, LISTENER},
    {"--hold", take_held, LISTENER},
    {"--notify", take_notify, "yes or no"},
    {"--watchdog-us", take_watchdog, "a number"},
    {"--owner", take_owner, "PID:START"},
    {"--orphan", take_orphan, "kill or keep"},
    {"--leftover-ms", take_leftover, "a number up to 3600000"},
};

int options_parse(int argc, char **argv, struct options *out)
{
	*out = (struct options){
	    .segment_bytes = SEGMENT_BYTES, .retain_bytes = RETAIN_BYTES, .leftover_ms = LEFTOVER_MS};
	for (int at = 1; at < argc; at += 2) {
		size_t which = 0, count = sizeof OPTIONS / sizeof OPTIONS[0];

		if (strcmp(argv[at], "--") == 0) {
			out->command = argv + at + 1;
			break;
		}
		while (which < count && strcmp(OPTIONS[which].name, argv[at]) != 0)
			which++;
		if (which == count || at + 1 == argc) {
			fprintf(stderr, "keeper: %s \"%s\"\n",
			    which == count ? "unknown option" : "no value for option", argv[at]);
			return -1;
		}
		if (!OPTIONS[which].take(out, argv[at + 1])) {
			fprintf(stderr, "keeper: %s is \"%s\", expected %s\n", argv[at], argv[at + 1],
			    OPTIONS[which].expected);
			return -1;
		}
	}
	if (out->folder == NULL || out->command == NULL || out->command[0] == NULL) {
		fprintf(stderr,
		    "keeper: usage: keeper --folder DIR [OPTION VALUE]... -- PROGRAM [ARGUMENT]...\n");
		return -1;
	}
	return 0;
}
