/* The keeper's life: claim, begin, copy, and end when nothing of the child is left. */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "control.h"
#include "tree.h"

#define PATH_BYTES (KEEPER_FOLDER_MAX + 64)
#define STAMP_BYTES 8u
/* Reads of one stream, and frames of one client, before the others get their turn. */
#define TURNS 16
/* Under "block", how long until a full log is looked at again. */
#define RETRY_MS 50
/* Between two rounds of SIGKILL. */
#define KILL_EVERY_MS 20
#define DATAGRAM_BYTES 4096u
#define ASIDE_BYTES 256u
#define NS_PER_MS 1000000ull
#define END_OF_FILE 4   /* Ctrl-D */
#define CLOSE_RANGE 436 /* of every architecture; older headers do not name it */

/* What the poll set holds, in this order; clients come behind. */
enum { AT_SIGNALS, AT_CONTROL, AT_NOTIFY, AT_OWNER, AT_OUTPUT, AT_ERRORS, AT_INPUT, AT_CLIENTS };
#define POLLED (AT_CLIENTS + KEEPER_CLIENTS)

struct keeper {
	struct options options;
	struct segments *log;
	uint32_t largest_read;
	struct child child;
	int signals, control, notify, owner;
	struct client clients[KEEPER_CLIENTS];
	bool child_gone, full; /* full: the log takes nothing until somebody makes room */
	/* 0 or the monotonic time in ns at which the whole tree is killed. */
	uint64_t kill_at;
	/* A few bytes that were read while the log was full. */
	uint32_t aside_bytes, aside_kind;
	uint8_t aside[ASIDE_BYTES];
	char notify_path[PATH_BYTES];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

/* Room for a record of up to `length` bytes behind the time stamp, or NULL when the log is full. */
static uint8_t *begin_record(struct keeper *k, uint32_t length)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);
	int error;
	uint8_t *at = segments_begin(k->log, STAMP_BYTES + length, &error);

	/* Full under "block", or no room on the disk even for one file in exchange for the oldest. */
	k->full = at == NULL;
	if (at == NULL)
		return NULL;
	memcpy(at, &now, STAMP_BYTES);
	return at + STAMP_BYTES;
}

static void __attribute__((format(printf, 2, 3))) tell(struct keeper *k, const char *format, ...)
{
	char text[512];
	va_list list;
	uint8_t *at;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	at = begin_record(k, (uint32_t)strlen(text));
	if (at == NULL)
		return;
	memcpy(at, text, strlen(text));
	segments_end(k->log, KEEPER_EVENT, STAMP_BYTES + (uint32_t)strlen(text));
}

static void close_output(struct keeper *k, int *fd)
{
	if (*fd == k->child.input)
		k->child.input = -1;
	close(*fd);
	*fd = -1;
}

/* Writes what was read before there was room for it. False while there is none. */
static bool flush_aside(struct keeper *k)
{
	uint8_t *at = k->aside_bytes == 0 ? NULL : begin_record(k, k->aside_bytes);

	if (k->aside_bytes == 0)
		return true;
	if (at == NULL)
		return false;
	memcpy(at, k->aside, k->aside_bytes);
	segments_end(k->log, k->aside_kind, STAMP_BYTES + k->aside_bytes);
	k->aside_bytes = 0;
	return true;
}

/* For what FIONREAD does not tell: the end, and a terminal's bytes that are still on their way. */
static uint32_t copy_aside(struct keeper *k, int *fd, uint32_t kind)
{
	ssize_t got;

	if (!flush_aside(k))
		return 0;
	got = read(*fd, k->aside, sizeof k->aside);
	if (got > 0) {
		k->aside_bytes = (uint32_t)got;
		k->aside_kind = kind;
		return flush_aside(k) ? (uint32_t)got : 0;
	}
	/* The end; of a terminal EIO, when its last user is gone. */
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_output(k, fd);
	return 0;
}

/* Copies what stands in `*fd` into the log; closes it at its end. Returns how much it was, 0 when there is
 * nothing more just now. */
static uint32_t copy_once(struct keeper *k, int *fd, uint32_t kind)
{
	int waiting = 0;
	uint32_t length;
	uint8_t *at;
	ssize_t got;

	/* Asked beforehand, so that a small write does not begin a new segment for want of room for a large
	 * one, and so that nothing is begun that does not come. */
	if (k->aside_bytes > 0 || ioctl(*fd, FIONREAD, &waiting) < 0 || waiting <= 0)
		return copy_aside(k, fd, kind);
	length = (uint32_t)waiting < k->largest_read ? (uint32_t)waiting : k->largest_read;
	at = begin_record(k, length);
	if (at == NULL)
		return 0;
	got = read(*fd, at, length);
	segments_end(k->log, kind, STAMP_BYTES + (got > 0 ? (uint32_t)got : 0));
	return got > 0 ? (uint32_t)got : 0;
}

static void copy(struct keeper *k, int *fd, uint32_t kind)
{
	for (int turn = 0; turn < TURNS && *fd >= 0 && copy_once(k, fd, kind); turn++)
		;
}

/* Copies what a dead child has said: no more than a pipe holds, since descendants may go on for ever. */
static void drain_one(struct keeper *k, int *fd, uint32_t kind)
{
	uint32_t length = 1;

	for (uint32_t total = 0; *fd >= 0 && length > 0 && total < CHILD_PIPE_BYTES; total += length)
		length = copy_once(k, fd, kind);
}

static void drain(struct keeper *k)
{
	drain_one(k, &k->child.output, KEEPER_STDOUT);
	drain_one(k, &k->child.errors, KEEPER_STDERR);
}

static void take_notification(struct keeper *k)
{
	char text[DATAGRAM_BYTES];
	ssize_t got = recv(k->notify, text, sizeof text, 0);
	uint8_t *at = got > 0 ? begin_record(k, (uint32_t)got) : NULL;

	if (at == NULL)
		return;
	memcpy(at, text, (size_t)got);
	segments_end(k->log, KEEPER_NOTIFY, STAMP_BYTES + (uint32_t)got);
}

static void signal_group(struct keeper *k, uint32_t number)
{
	/* Before it has been waited for, its pid is nobody else's. */
	if (!k->child_gone && number > 0 && number < NSIG)
		/* Until it has begun its session there is no such group. */
		if (kill(-k->child.pid, (int)number) < 0)
			kill(k->child.pid, (int)number);
}

static void stop(struct keeper *k, uint32_t number, uint32_t grace_ms)
{
	uint64_t at = clock_ns(CLOCK_MONOTONIC) + grace_ms * NS_PER_MS;

	signal_group(k, number);
	if (k->kill_at == 0 || at < k->kill_at)
		k->kill_at = at;
}

/* True when the frame is done with; false when the child's input is full. */
static bool write_input(struct keeper *k, struct client *c)
{
	while (k->child.input >= 0 && c->written < c->frame->length) {
		ssize_t put =
		    write(k->child.input, c->frame->payload + c->written, c->frame->length - c->written);

		if (put < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (put < 0)
			return true; /* the child reads no more: what is sent to it is lost, as in a pipe of a
			                shell */
		c->written += (uint32_t)put;
	}
	return true;
}

static void end_input(struct keeper *k)
{
	const char end = END_OF_FILE;

	if (k->child.input < 0)
		return;
	if (k->child.input == k->child.output) {
		if (write(k->child.input, &end, 1) < 0)
			tell(k, "cannot end the input: %s", strerror(errno));
		return;
	}
	close(k->child.input);
	k->child.input = -1;
}

static void set_window(struct keeper *k, const uint8_t *payload)
{
	uint16_t size[2];

	memcpy(size, payload, sizeof size);
	struct winsize window = {.ws_row = size[0], .ws_col = size[1]};

	if (k->child.input >= 0 && k->child.input == k->child.output)
		ioctl(k->child.input, TIOCSWINSZ, &window);
}

/* False when the frame has to wait. */
static bool obey(struct keeper *k, struct client *c)
{
	const struct frame *f = c->frame;
	uint32_t words[2] = {0, 0};

	if (f->length <= sizeof words)
		memcpy(words, f->payload, f->length);
	if (f->kind == KEEPER_INPUT)
		return write_input(k, c);
	if (f->kind == KEEPER_END_INPUT && f->length == 0)
		end_input(k);
	else if (f->kind == KEEPER_WINDOW && f->length == 4)
		set_window(k, f->payload);
	else if (f->kind == KEEPER_SIGNAL && f->length == 4)
		signal_group(k, words[0]);
	else if (f->kind == KEEPER_STOP && f->length == 8)
		stop(k, words[0], words[1]);
	else
		control_close(c);
	return true;
}

static void serve(struct keeper *k, struct client *c)
{
	for (int turn = 0; turn < TURNS && c->fd >= 0 && control_read(c); turn++) {
		if (!obey(k, c))
			return;
		if (c->fd >= 0)
			control_next(c);
	}
}

/* A frame that is whole is input that waits: it is tried again, and no more is read meanwhile. */
static bool waits(const struct client *c)
{
	return c->fd >= 0 && c->used > sizeof c->frame->length + sizeof c->frame->kind &&
	       c->frame->kind == KEEPER_INPUT && c->used == 8 + ((c->frame->length + 7) & ~7u);
}

static void child_ended(struct keeper *k, int status)
{
	struct child_failure failure;

	/* What it said comes before its end. */
	drain(k);
	k->child_gone = true;
	if (read(k->child.failure, &failure, sizeof failure) == sizeof failure)
		tell(k, "\"%s\" cannot %s: %s", k->options.command[0], child_step_text(failure.step),
		    strerror(failure.errno_value));
	segments_child_exited(k->log, status);
	if (tree_signal(&k->options, SIGTERM) > 0)
		stop(k, 0, k->options.leftover_ms);
}

/* Returns false when no child is left. */
static bool reap(struct keeper *k)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == 0)
			return true;
		if (pid < 0 && errno == ECHILD)
			return false;
		if (pid == k->child.pid && !k->child_gone)
			child_ended(k, status);
	}
}

static void take_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo != SIGCHLD)
			stop(k, SIGTERM, k->options.leftover_ms);
}

static int wait_ms(const struct keeper *k)
{
	uint64_t now;
	int limit = k->full ? RETRY_MS : -1;

	if (k->kill_at == 0)
		return limit;
	now = clock_ns(CLOCK_MONOTONIC);
	uint64_t until = k->kill_at <= now ? KILL_EVERY_MS : (k->kill_at - now) / NS_PER_MS + 1;

	if (limit < 0)
		limit = INT32_MAX;
	return until < (uint64_t)limit ? (int)until : limit;
}

static void fill_poll_set(const struct keeper *k, struct pollfd set[POLLED])
{
	const short out = k->full ? 0 : POLLIN;
	bool input_waits = false;

	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++) {
		bool waiting = k->child.input >= 0 && waits(&k->clients[at]);

		/* One that waits is not asked for: that it has gone away would be told again and again. */
		input_waits = input_waits || waiting;
		set[AT_CLIENTS + at] =
		    (struct pollfd){.fd = waiting ? -1 : k->clients[at].fd, .events = POLLIN};
	}
	set[AT_SIGNALS] = (struct pollfd){.fd = k->signals, .events = POLLIN};
	set[AT_CONTROL] = (struct pollfd){.fd = k->control, .events = POLLIN};
	set[AT_NOTIFY] = (struct pollfd){.fd = k->notify, .events = out};
	set[AT_OWNER] = (struct pollfd){.fd = k->owner, .events = POLLIN};
	/* A full log is not asked for, but POLLHUP would be told all the same and make this loop spin. */
	set[AT_OUTPUT] = (struct pollfd){.fd = k->full ? -1 : k->child.output, .events = out};
	set[AT_ERRORS] = (struct pollfd){.fd = k->full ? -1 : k->child.errors, .events = out};
	set[AT_INPUT] = (struct pollfd){.fd = input_waits ? k->child.input : -1, .events = POLLOUT};
}

static void handle(struct keeper *k, const struct pollfd set[POLLED])
{
	if (k->full || set[AT_OUTPUT].revents != 0 || set[AT_ERRORS].revents != 0) {
		if (k->child.output >= 0)
			copy(k, &k->child.output, KEEPER_STDOUT);
		if (k->child.errors >= 0)
			copy(k, &k->child.errors, KEEPER_STDERR);
	}
	if (set[AT_NOTIFY].revents != 0)
		take_notification(k);
	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++) {
		struct client *c = &k->clients[at];

		if (waits(c) && (set[AT_INPUT].revents != 0 || k->child.input < 0) && obey(k, c))
			control_next(c);
		if (c->fd >= 0 && set[AT_CLIENTS + at].revents != 0 && !waits(c))
			serve(k, c);
	}
	if (set[AT_CONTROL].revents != 0)
		control_accept(k->control, k->clients);
	if (set[AT_OWNER].revents != 0) {
		close(k->owner);
		k->owner = -1;
		tell(k, "the process that owns this instance has ended");
		stop(k, SIGTERM, k->options.leftover_ms);
	}
	take_signals(k);
	if (k->kill_at != 0 && clock_ns(CLOCK_MONOTONIC) >= k->kill_at)
		tree_signal(&k->options, SIGKILL);
}

static bool holds(int fd)
{
	int waiting = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Whether the dead have said something that the log has no room for. It waits for room, unless it was told to
 * stop. */
static bool owes(struct keeper *k)
{
	if (k->kill_at != 0 && clock_ns(CLOCK_MONOTONIC) >= k->kill_at)
		return false;
	drain(k);
	return k->full && (k->aside_bytes > 0 || holds(k->child.output) || holds(k->child.errors));
}

static void run(struct keeper *k)
{
	struct pollfd set[POLLED];
	bool failed = false;

	do {
		segments_notify(k->log);
		segments_beat(k->log);
		fill_poll_set(k, set);
		/* Out of memory in the kernel: what can still be done is to end the tree. */
		failed = poll(set, POLLED, wait_ms(k)) < 0 && errno != EINTR;
		if (!failed)
			handle(k, set);
	} while (!failed && (reap(k) || owes(k)));
	while (tree_signal(&k->options, SIGKILL) > 0 || reap(k))
		;
	drain(k);
}

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
	stop(k, 0, 0);
	return -1;
}

static int open_log(struct keeper *k)
{
	const struct options *o = &k->options;
	char why[RING_WHY] = "";
	int result = segments_open(o->folder, o->segment_bytes, o->retain_bytes, o->overflow, &k->log, why);

	if (result < 0) {
		fprintf(
		    stderr, "keeper: cannot open the log in %s: %s %s\n", o->folder, strerror(-result), why);
		return KEEPER_FAILED;
	}
	k->largest_read = (uint32_t)(o->segment_bytes / RING_SLICES) - RING_RECORD_HEADER - STAMP_BYTES;
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
	segments_child_started(k->log, (uint32_t)k->child.pid, ring_process_start((uint32_t)k->child.pid));
	child_release(&k->child);
	/* Listening sockets are the child's: what it closes shall be closed. */
	for (uint32_t at = 0; at < k->options.listener_count; at++)
		close(k->options.listeners[at]);
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

	memcpy(kept + 1, o->listeners, count * sizeof *kept);
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
		run(&k);
	}
	remove_sockets(&k);
	segments_free(k.log);
	return result;
}
