/* The guard's life: it waits for signals, for its owner's end, and for the last of the tree. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "tree.h"

/* Between two rounds of SIGKILL. */
#define KILL_EVERY_MS 20
#define LONGEST_MS 3600000

struct guard {
	pid_t owner, child;
	int owner_fd, signals;
	long grace_ms;
	bool child_gone;
	int status;
	int64_t kill_at; /* of the monotonic clock, in ms; 0: not yet */
};

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int kill_tree(void)
{
	static const struct options none;

	return tree_signal(&none, SIGKILL);
}

static void stop(struct guard *g, long grace_ms)
{
	int64_t at = clock_ms() + grace_ms;

	/* Until it has begun its session there is no such group. */
	if (!g->child_gone && grace_ms > 0 && kill(-g->child, SIGTERM) < 0)
		kill(g->child, SIGTERM);
	if (g->kill_at == 0 || at < g->kill_at)
		g->kill_at = at;
}

static void become(char **command, pid_t guard)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for two of them, which cannot be changed anyway */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A guard that died before that sends no signal any more. */
	if (getppid() != guard)
		_exit(KEEPER_NOT_RUN);
	execvp(command[0], command);
	int error = errno;

	fprintf(stderr, "cannot run \"%s\": %s\n", command[0], strerror(error));
	_exit(error == ENOENT ? KEEPER_NOT_FOUND : KEEPER_NOT_RUN);
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The ends of the child's pipes are the child's alone: else nobody would see that it closes them. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void take_signals(struct guard *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo != SIGCHLD)
			stop(g, info.ssi_signo == SIGUSR1 ? 0 : g->grace_ms);
}

/* Returns false when nothing of the tree is left. */
static bool reap(struct guard *g)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == 0)
			return true;
		if (pid < 0 && errno == ECHILD)
			return false;
		if (pid == g->child && !g->child_gone) {
			g->child_gone = true;
			g->status = status;
			g->kill_at = clock_ms();
		}
	}
}

static void run(struct guard *g)
{
	while (reap(g)) {
		int64_t now = clock_ms();
		int wait_ms = g->kill_at == 0    ? -1
		              : g->kill_at > now ? (int)(g->kill_at - now)
		                                 : KILL_EVERY_MS;

		if (g->kill_at != 0 && g->kill_at <= now) {
			kill_tree();
			if (!reap(g))
				return;
		}
		struct pollfd set[] = {
		    {.fd = g->signals, .events = POLLIN}, {.fd = g->owner_fd, .events = POLLIN}};

		if (poll(set, 2, wait_ms) < 0 && errno != EINTR)
			g->kill_at =
			    clock_ms(); /* out of memory in the kernel: the tree can still be ended */
		take_signals(g);
		if (set[1].revents != 0) {
			close(g->owner_fd);
			g->owner_fd = -1;
			stop(g, g->grace_ms);
		}
	}
}

/* Ends as the child did. */
static int end_as(int status)
{
	const struct rlimit no_core = {0, 0};
	sigset_t all;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static bool parse(struct guard *g, int argc, char **argv)
{
	char *after;

	if (argc < 5 || strcmp(argv[3], "--") != 0)
		return false;
	g->owner = (pid_t)strtol(argv[2], &after, 10);
	if (*after != ':' || g->owner <= 0)
		return false;
	g->grace_ms = strtol(after + 1, &after, 10);
	return *after == '\0' && g->grace_ms >= 0 && g->grace_ms <= LONGEST_MS;
}

int guard_main(int argc, char **argv)
{
	struct guard g = {.owner_fd = -1};
	pid_t self = getpid();

	if (!parse(&g, argc, argv)) {
		fprintf(stderr, "keeper: usage: keeper --guard OWNER:MS -- PROGRAM [ARGUMENT]...\n");
		return KEEPER_USAGE;
	}
	g.owner_fd = (int)syscall(SYS_pidfd_open, g.owner, 0);
	if (g.owner_fd < 0) {
		fprintf(stderr, "keeper: cannot watch process %d: %s\n", (int)g.owner, strerror(errno));
		return KEEPER_FAILED;
	}
	/* While it is the parent its pid is nobody else's; one that is not the parent any more has ended. */
	if (getppid() != g.owner) {
		fprintf(stderr, "keeper: process %d is not the one that starts this guard\n", (int)g.owner);
		return KEEPER_FAILED;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	g.signals = watch_signals();
	if (g.signals < 0)
		return KEEPER_FAILED;
	g.child = fork();
	if (g.child < 0) {
		fprintf(stderr, "keeper: cannot start the child: %s\n", strerror(errno));
		return KEEPER_FAILED;
	}
	if (g.child == 0)
		become(argv + 4, self);
	let_go();
	run(&g);
	return end_as(g.status);
}
