/* The keeper's life: it copies, obeys, and ends when nothing of the child is left. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "life.h"
#include "tree.h"

/* Frames of one client before the others get their turn. */
#define TURNS 16
/* How long until a full log is looked at again, and until connections are taken again that could not be. */
#define RETRY_MS 50
/* How long a program may take to be found: its folder may be on the network. */
#define PROGRAM_MS 1000
/* Between two rounds of SIGKILL. */
#define KILL_EVERY_MS 20
#define NS_PER_MS 1000000ull

/* What the poll set holds, in this order; clients come behind. */
enum { AT_SIGNALS, AT_CONTROL, AT_NOTIFY, AT_OWNER, AT_OUTPUT, AT_ERRORS, AT_INPUT, AT_CLIENTS };
#define POLLED (AT_CLIENTS + KEEPER_CLIENTS)

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

/* Runs a copy over both streams. A terminal is input too, and ends as one. */
static void copy(struct keeper *k, void (*how)(struct output *, int *, uint32_t))
{
	bool is_terminal = k->child.input >= 0 && k->child.input == k->child.output;

	if (k->child.output >= 0)
		how(&k->output, &k->child.output, KEEPER_STDOUT);
	if (k->child.errors >= 0)
		how(&k->output, &k->child.errors, KEEPER_STDERR);
	if (is_terminal && k->child.output < 0)
		k->child.input = -1;
}

static void drain(struct keeper *k)
{
	copy(k, output_drain);
	if (k->notify >= 0)
		output_notifications(&k->output, k->notify);
}

void keeper_signal(struct keeper *k, uint32_t number)
{
	/* Before it has been waited for, its pid is nobody else's. */
	if (!k->child_gone && number > 0 && number < NSIG)
		/* Until it has begun its session there is no such group. */
		if (kill(-k->child.pid, (int)number) < 0)
			kill(k->child.pid, (int)number);
}

void keeper_stop(struct keeper *k, uint32_t number, uint32_t grace_ms)
{
	uint64_t at = clock_ns() + grace_ms * NS_PER_MS;

	keeper_signal(k, number);
	if (k->kill_at == 0 || at < k->kill_at)
		k->kill_at = at;
}

static void serve(struct keeper *k, struct client *c)
{
	for (int turn = 0; turn < TURNS && c->fd >= 0 && control_read(c); turn++) {
		if (!command_obey(k, c))
			return;
		if (c->fd >= 0)
			control_next(c);
	}
}

/* For whoever looks at the end of the child later. Where the disk is full only the log says it. */
static void mark_owner_ended(const struct keeper *k)
{
	char path[KEEPER_FOLDER_MAX + sizeof "/" KEEPER_OWNER_ENDED];
	int fd;

	snprintf(path, sizeof path, "%s/" KEEPER_OWNER_ENDED, k->options.folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

static void child_ended(struct keeper *k, int status)
{
	struct child_failure failure;

	/* What it said comes before its end. */
	drain(k);
	k->child_gone = true;
	if (read(k->child.failure, &failure, sizeof failure) == sizeof failure)
		output_event(&k->output, "\"%s\" cannot %s: %s", k->options.command[0],
		    child_step_text(failure.step), strerror(failure.errno_value));
	close(k->child.failure);
	segments_child_exited(k->output.log, status);
	if (tree_signal(&k->options, SIGTERM) > 0)
		keeper_stop(k, 0, k->options.leftover_ms);
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

void keeper_await_program(struct keeper *k)
{
	struct pollfd failure = {.fd = k->child.failure, .events = POLLIN};
	siginfo_t ended;

	while (poll(&failure, 1, PROGRAM_MS) < 0 && errno == EINTR)
		;
	if (!(failure.revents & POLLIN))
		return;
	while (waitid(P_PID, (id_t)k->child.pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	reap(k);
}

static void take_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo != SIGCHLD)
			keeper_stop(k, SIGTERM, k->options.leftover_ms);
}

static int wait_ms(const struct keeper *k)
{
	uint64_t now;
	int limit = k->output.full || k->accept_at != 0 ? RETRY_MS : -1;

	if (k->kill_at == 0)
		return limit;
	now = clock_ns();
	uint64_t until = k->kill_at <= now ? KILL_EVERY_MS : (k->kill_at - now) / NS_PER_MS + 1;

	if (limit < 0)
		limit = INT32_MAX;
	return until < (uint64_t)limit ? (int)until : limit;
}

static void fill_poll_set(const struct keeper *k, struct pollfd set[POLLED])
{
	const bool full = k->output.full, waits = full && !output_discards(&k->output);
	bool input_waits = false;

	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++) {
		bool waiting = k->child.input >= 0 && command_waits(&k->clients[at]);

		/* One that waits is not asked for: that it has gone away would be told again and again. */
		input_waits = input_waits || waiting;
		set[AT_CLIENTS + at] =
		    (struct pollfd){.fd = waiting ? -1 : k->clients[at].fd, .events = POLLIN};
	}
	set[AT_SIGNALS] = (struct pollfd){.fd = k->signals, .events = POLLIN};
	set[AT_CONTROL] = (struct pollfd){.fd = k->accept_at != 0 ? -1 : k->control, .events = POLLIN};
	set[AT_NOTIFY] = (struct pollfd){.fd = full ? -1 : k->notify, .events = POLLIN};
	set[AT_OWNER] = (struct pollfd){.fd = k->owner, .events = POLLIN};
	/* A full log is not asked for, but POLLHUP would be told all the same and make this loop spin. */
	set[AT_OUTPUT] = (struct pollfd){.fd = waits ? -1 : k->child.output, .events = POLLIN};
	set[AT_ERRORS] = (struct pollfd){.fd = waits ? -1 : k->child.errors, .events = POLLIN};
	set[AT_INPUT] = (struct pollfd){.fd = input_waits ? k->child.input : -1, .events = POLLOUT};
}

static void take_connection(struct keeper *k)
{
	/* Without a free descriptor it would be told again and again that somebody waits. */
	if (control_accept(k->control, k->clients) < 0)
		k->accept_at = clock_ns() + RETRY_MS * NS_PER_MS;
}

static void handle(struct keeper *k, const struct pollfd set[POLLED])
{
	const bool again = k->output.full;

	if (again)
		output_retry(&k->output);
	if (again || set[AT_OUTPUT].revents != 0 || set[AT_ERRORS].revents != 0)
		copy(k, output_copy);
	if (k->notify >= 0 && (again || set[AT_NOTIFY].revents != 0))
		output_notifications(&k->output, k->notify);
	for (uint32_t at = 0; at < KEEPER_CLIENTS; at++) {
		struct client *c = &k->clients[at];

		if (command_waits(c) && (set[AT_INPUT].revents != 0 || k->child.input < 0) &&
		    command_obey(k, c))
			control_next(c);
		if (c->fd >= 0 && set[AT_CLIENTS + at].revents != 0 && !command_waits(c))
			serve(k, c);
	}
	if (k->accept_at != 0 && clock_ns() >= k->accept_at)
		k->accept_at = 0;
	else if (set[AT_CONTROL].revents != 0)
		take_connection(k);
	if (set[AT_OWNER].revents != 0) {
		close(k->owner);
		k->owner = -1;
		output_event(&k->output, "the process that owns this instance has ended");
		if (!k->child_gone)
			mark_owner_ended(k);
		keeper_stop(k, SIGTERM, k->options.leftover_ms);
	}
	take_signals(k);
	if (k->kill_at != 0 && clock_ns() >= k->kill_at)
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
	if (k->kill_at != 0 && clock_ns() >= k->kill_at)
		return false;
	output_retry(&k->output);
	drain(k);
	return k->output.full && !output_discards(&k->output) &&
	       (output_owes(&k->output) || holds(k->child.output) || holds(k->child.errors) ||
	           holds(k->notify));
}

void keeper_run(struct keeper *k)
{
	struct pollfd set[POLLED];
	bool failed = false;

	do {
		segments_notify(k->output.log);
		segments_beat(k->output.log);
		fill_poll_set(k, set);
		/* Out of memory in the kernel: what can still be done is to end the tree. */
		failed = poll(set, POLLED, wait_ms(k)) < 0 && errno != EINTR;
		if (!failed)
			handle(k, set);
	} while (!failed && (reap(k) || owes(k)));
	/* What sleeps in the kernel dies when it wakes. */
	while (tree_signal(&k->options, SIGKILL) > 0 || reap(k))
		poll(NULL, 0, KILL_EVERY_MS);
	drain(k);
}
