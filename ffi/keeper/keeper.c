/* The keeper's beginning: it claims the instance, opens what it needs, starts the child; and its end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"
#include "life.h"

#define PATH_BYTES (KEEPER_FOLDER_MAX + 64)
/* Bytes of an address of unix(7), without the NUL at its end. */
#define UNIX_PATH_MAX 107u
#define CLOSE_RANGE 436 /* of every architecture; older headers do not name it */

static int fail(const char *what, int error)
{
	fprintf(stderr, "keeper: cannot %s: %s\n", what, strerror(error));
	return KEEPER_FAILED;
}

/* Who makes this file decides: a manager that finds an instance that never began makes it too. */
static int claim(const char *folder)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof path, "%s/claim", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? KEEPER_CLAIMED : fail("claim the instance", errno);
	close(fd);
	return KEEPER_DONE;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* -1 when there is no owner; the owner that has already ended is told at once. */
static int watch_owner(struct keeper *k)
{
	if (k->options.owner == 0)
		return -1;
	int fd = (int)syscall(SYS_pidfd_open, k->options.owner, 0);

	if (fd >= 0 && ring_process_start((uint32_t)k->options.owner) == k->options.owner_start)
		return fd;
	if (fd >= 0)
		close(fd);
	keeper_stop(k, 0, 0);
	return -1;
}

static int open_log(struct keeper *k)
{
	char why[RING_WHY] = "";
	int result = output_open(&k->output, &k->options, why);

	if (result == 0)
		return KEEPER_DONE;
	fprintf(
	    stderr, "keeper: cannot open the log in %s: %s %s\n", k->options.folder, strerror(-result), why);
	return KEEPER_FAILED;
}

/* The child's library takes no longer path than an address has room for; through the keeper's own descriptor
 * it is short. Another user may not go that way. */
static int reach_notify(struct keeper *k)
{
	int fd = open(k->options.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail("open the folder", errno);
	snprintf(k->notify_path, sizeof k->notify_path, "/proc/%d/fd/%d/notify", (int)getpid(), fd);
	return KEEPER_DONE;
}

static int open_sockets(struct keeper *k)
{
	const char *folder = k->options.folder;

	k->control = control_bind(folder, "control", SOCK_STREAM);
	if (k->control < 0)
		return fail("bind the control socket", -k->control);
	k->notify = -1;
	if (!k->options.notify)
		return KEEPER_DONE;
	k->notify = control_bind(folder, "notify", SOCK_DGRAM);
	if (k->notify < 0)
		return fail("bind the notify socket", -k->notify);
	snprintf(k->notify_path, sizeof k->notify_path, "%s/notify", folder);
	if (strlen(k->notify_path) > UNIX_PATH_MAX)
		return reach_notify(k);
	/* The child may be another user; the folder above decides who comes this far. */
	if (k->options.set_uid && chmod(k->notify_path, 0622) < 0)
		return fail("open the notify socket to the child", errno);
	return KEEPER_DONE;
}

static void remove_sockets(const struct keeper *k)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/control", k->options.folder);
	unlink(path);
	if (k->notify >= 0)
		unlink(k->notify_path);
}

static int begin(struct keeper *k)
{
	const char *notify = k->notify >= 0 ? k->notify_path : NULL;
	int result = child_start(&k->options, notify, &k->child);

	if (result < 0)
		return fail("start the child", -result);
	segments_child_started(
	    k->output.log, (uint32_t)k->child.pid, ring_process_start((uint32_t)k->child.pid));
	child_release(&k->child);
	keeper_await_program(k);
	return KEEPER_DONE;
}

/* Tells the manager that the child has begun. Then nothing of its terminal stays open: output that is not the
 * child's goes nowhere from here on. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (write(2, KEEPER_BEGUN, 1) < 0)
		errno = 0; /* a manager that died meanwhile need not know */
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static int by_number(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

/* What the manager forgot to mark goes neither to the keeper nor to the child; only listeners stay. */
static int close_inherited(const struct options *o)
{
	int kept[KEEPER_LISTENERS + 1] = {2};
	uint32_t count = o->listener_count;

	for (uint32_t at = 0; at < count; at++)
		kept[at + 1] = o->listeners[at].fd;
	qsort(kept, count + 1, sizeof *kept, by_number);
	for (uint32_t at = 0; at <= count; at++) {
		unsigned int from = (unsigned int)kept[at] + 1;
		unsigned int to = at == count ? ~0u : (unsigned int)kept[at + 1] - 1;

		if (fcntl(kept[at], F_SETFD, kept[at] > 2 ? FD_CLOEXEC : 0) < 0)
			return fail("take over a listening socket", errno);
		/* Before Linux 5.9 they stay. */
		if (from >= 3 && from <= to)
			syscall(CLOSE_RANGE, from, to, 0);
	}
	return KEEPER_DONE;
}

int main(int argc, char **argv)
{
	static struct keeper k;
	int result;

	if (argc > 1 && strcmp(argv[1], "--guard") == 0)
		return guard_main(argc, argv);
	if (options_parse(argc, argv, &k.options) < 0)
		return KEEPER_USAGE;
	result = close_inherited(&k.options);
	if (result != KEEPER_DONE)
		return result;
	setsid(); /* fails for whom the manager has already given one */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++)
		k.clients[at].fd = -1;
	k.signals = watch_signals();
	if (k.signals < 0)
		return fail("watch signals", errno);
	result = claim(k.options.folder);
	if (result == KEEPER_DONE)
		result = open_log(&k);
	if (result == KEEPER_DONE)
		result = open_sockets(&k);
	if (result != KEEPER_DONE)
		return result;
	k.owner = watch_owner(&k);
	result = begin(&k);
	if (result == KEEPER_DONE) {
		detach();
		keeper_run(&k);
	}
	remove_sockets(&k);
	segments_free(k.output.log);
	return result;
}
