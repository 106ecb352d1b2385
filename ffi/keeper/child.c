/* Between fork and exec: session, terminal, descriptors, limits, identity, in the order that rights need. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_FIRST 3
/* Descriptors that are in the way of LISTEN_FIRST and those behind it are moved up here. */
#define FD_ABOVE 64

struct ends {
	int in[2], out[2], err[2], failure[2], go[2], master;
	char terminal[64];
};

static int open_pipe(int ends[2], bool reading)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[reading ? 0 : 1], F_SETFL, O_NONBLOCK);
	return 0;
}

/* Of output: what is refused (pipe-max-size, or the user's share is used up) stays as it is, and works. */
static int open_wide_pipe(int ends[2])
{
	int result = open_pipe(ends, true);

	if (result == 0)
		fcntl(ends[0], F_SETPIPE_SZ, geteuid() == 0 ? CHILD_PIPE_BYTES : CHILD_PIPE_MODEST_BYTES);
	return result;
}

static int open_terminal(const struct options *o, struct ends *e)
{
	struct winsize size = {.ws_row = o->rows, .ws_col = o->columns};
	int unlock = 0, number;

	e->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (e->master < 0 || ioctl(e->master, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(e->master, TIOCGPTN, &number) < 0 || ioctl(e->master, TIOCSWINSZ, &size) < 0)
		return -errno;
	snprintf(e->terminal, sizeof e->terminal, "/dev/pts/%d", number);
	return 0;
}

static int open_ends(const struct options *o, struct ends *e)
{
	int result = open_pipe(e->failure, true);

	if (result == 0)
		result = open_pipe(e->go, false);
	if (result == 0 && o->input == STDIN_TERMINAL)
		return open_terminal(o, e);
	if (result == 0 && o->input == STDIN_PIPE)
		result = open_pipe(e->in, false);
	if (result == 0)
		result = open_wide_pipe(e->out);
	return result == 0 ? open_wide_pipe(e->err) : result;
}

static int attach_terminal(const char *path)
{
	int fd = open(path, O_RDWR);

	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		return -1;
	for (int to = 0; to < 3; to++)
		if (fd != to && dup2(fd, to) < 0)
			return -1;
	if (fd > 2)
		close(fd);
	return 0;
}

static int attach_pipes(const struct options *o, const struct ends *e)
{
	int input = o->input == STDIN_PIPE ? e->in[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* The keeper's own 0, 1 and 2 are open, so none of these is among them, and dup2 clears CLOEXEC. */
	if (input < 0 || dup2(input, 0) < 0 || dup2(e->out[1], 1) < 0 || dup2(e->err[1], 2) < 0)
		return -1;
	return 0;
}

static int join_cgroups(const struct options *o)
{
	for (uint32_t at = 0; at < o->cgroup_count; at++) {
		int folder = open(o->cgroups[at], O_PATH | O_DIRECTORY | O_CLOEXEC);
		int procs = folder < 0 ? -1 : openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);

		if (procs < 0 || write(procs, "0", 1) < 0)
			return -1;
		close(procs);
		close(folder);
	}
	return 0;
}

/* Moves the listening sockets to 3, 4, ... and tells their names, as of sd_listen_fds(3). */
static int pass_listeners(const struct options *o)
{
	int moved[KEEPER_LISTENERS];
	char text[32], names[KEEPER_NAMES_MAX] = "";
	size_t used = 0;
	uint32_t count = 0;

	for (uint32_t at = 0; at < o->listener_count; at++) {
		if (!o->listeners[at].passed)
			continue;
		moved[count] = fcntl(o->listeners[at].fd, F_DUPFD_CLOEXEC, FD_ABOVE);
		if (moved[count] < 0)
			return -1;
		/* The options take no more names than fit. */
		used += (size_t)snprintf(
		    names + used, sizeof names - used, "%s%s", count > 0 ? ":" : "", o->listeners[at].name);
		count++;
	}
	if (count == 0)
		return 0;
	for (uint32_t at = 0; at < count; at++)
		if (dup2(moved[at], LISTEN_FIRST + (int)at) < 0)
			return -1;
	snprintf(text, sizeof text, "%u", count);
	setenv("LISTEN_FDS", text, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(text, sizeof text, "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	return 0;
}

static void tell_notify(const struct options *o, const char *notify_path)
{
	char text[32];

	if (notify_path == NULL)
		return;
	setenv("NOTIFY_SOCKET", notify_path, 1);
	if (o->watchdog_us == NULL)
		return;
	setenv("WATCHDOG_USEC", o->watchdog_us, 1);
	snprintf(text, sizeof text, "%d", (int)getpid());
	setenv("WATCHDOG_PID", text, 1);
}

static int set_limits(const struct options *o)
{
	for (uint32_t at = 0; at < o->rlimit_count; at++)
		if (setrlimit((__rlimit_resource_t)o->rlimits[at].resource, &o->rlimits[at].limit) < 0)
			return -1;
	return 0;
}

static int set_groups(const struct options *o)
{
	/* Whoever changes the user gives up the groups of the one before, also when no others are named. */
	if ((o->set_uid || o->group_count > 0) && setgroups(o->group_count, o->groups) < 0)
		return -1;
	return o->set_gid && setresgid(o->gid, o->gid, o->gid) < 0 ? -1 : 0;
}

/* Moves what the child still needs out of the way of the listeners, and waits for the keeper's word. */
static bool wait_for_release(struct ends *e)
{
	int failure = fcntl(e->failure[1], F_DUPFD_CLOEXEC, FD_ABOVE);
	ssize_t got;
	char word;

	/* Without so many descriptors there are no listeners at their places either, which is told. */
	if (failure >= 0)
		e->failure[1] = failure;
	close(e->go[1]); /* else its end would not come with the keeper's */
	do
		got = read(e->go[0], &word, 1);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

/* Returns the step that failed. */
static enum child_step become(
    const struct options *o, const struct ends *e, const char *notify_path, pid_t keeper)
{
	if (setsid() < 0)
		return STEP_SESSION;
	if (o->input == STDIN_TERMINAL ? attach_terminal(e->terminal) < 0 : attach_pipes(o, e) < 0)
		return STEP_TERMINAL;
	if (join_cgroups(o) < 0)
		return STEP_CGROUP;
	if (pass_listeners(o) < 0)
		return STEP_LISTENERS;
	/* Also whoever leaves the session can be found as a part of this instance, when its keeper is no
	 * more. */
	setenv(KEEPER_INSTANCE, o->folder, 1);
	tell_notify(o, notify_path);
	if (set_limits(o) < 0)
		return STEP_LIMIT;
	if (o->set_nice && (errno = 0, nice(o->nice) == -1) && errno != 0)
		return STEP_NICE;
	if (o->set_umask)
		umask(o->umask);
	if (set_groups(o) < 0)
		return STEP_GROUPS;
	if (o->set_uid && setresuid(o->uid, o->uid, o->uid) < 0)
		return STEP_USER;
	/* As the user who is to work there: what it may not enter it shall not be in. */
	if (o->cwd != NULL && chdir(o->cwd) < 0)
		return STEP_DIRECTORY;
	/* After the change of user, which clears it. */
	if (!o->keep_orphan) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* A keeper that died before that sends no signal any more. */
		if (getppid() != keeper)
			_exit(KEEPER_NOT_RUN);
	}
	execvp(o->command[0], o->command);
	return STEP_EXEC;
}

static void close_all(const struct ends *e)
{
	const int fds[] = {e->in[0], e->in[1], e->out[0], e->out[1], e->err[0], e->err[1], e->failure[0],
	    e->failure[1], e->go[0], e->go[1], e->master};

	for (size_t at = 0; at < sizeof fds / sizeof fds[0]; at++)
		if (fds[at] >= 0)
			close(fds[at]);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for two of them, which cannot be changed anyway */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int child_start(const struct options *o, const char *notify_path, struct child *out)
{
	struct ends e = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, -1, ""};
	pid_t keeper = getpid();
	int result = open_ends(o, &e);

	if (result < 0) {
		close_all(&e);
		return result;
	}
	out->pid = fork();
	if (out->pid < 0) {
		result = -errno;
		close_all(&e);
		return result;
	}
	if (out->pid == 0) {
		reset_signals();
		if (!wait_for_release(&e))
			_exit(KEEPER_NOT_RUN);
		struct child_failure failure = {.step = become(o, &e, notify_path, keeper)};

		failure.errno_value = errno;
		/* Nobody is left to be told when the keeper died meanwhile. */
		if (getppid() != keeper || write(e.failure[1], &failure, sizeof failure) < 0)
			_exit(KEEPER_NOT_RUN);
		_exit(failure.step == STEP_EXEC && failure.errno_value == ENOENT ? KEEPER_NOT_FOUND
		                                                                 : KEEPER_NOT_RUN);
	}
	close(e.failure[1]);
	close(e.go[0]);
	out->failure = e.failure[0];
	out->go = e.go[1];
	if (o->input == STDIN_TERMINAL) {
		out->output = out->input = e.master;
		out->errors = -1;
		return 0;
	}
	close(e.out[1]);
	close(e.err[1]);
	if (e.in[0] >= 0)
		close(e.in[0]);
	out->output = e.out[0];
	out->errors = e.err[0];
	out->input = e.in[1];
	return 0;
}

void child_release(struct child *c)
{
	/* A child that was killed meanwhile is met by waitpid. */
	if (write(c->go, "", 1) < 0)
		kill(c->pid, SIGKILL);
	close(c->go);
	c->go = -1;
}

const char *child_step_text(uint32_t step)
{
	static const char *const TEXTS[] = {"begin a session", "attach its input and output",
	    "join its cgroup", "pass its listening sockets", "set a resource limit", "set its niceness",
	    "set its groups", "set its user", "change to its working directory", "be run"};

	return step < sizeof TEXTS / sizeof TEXTS[0] ? TEXTS[step] : "begin";
}
