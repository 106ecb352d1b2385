#include "sys.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(that)                                                                                          \
	do {                                                                                                 \
		if (!(that)) {                                                                               \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #that);                   \
			exit(1);                                                                             \
		}                                                                                            \
	} while (0)

static void test_clocks_and_usage(void)
{
	int64_t before = sys_clock_ns(SYS_MONOTONIC), words[SYS_USAGE_WORDS] = {0};

	CHECK(before > 0 && sys_clock_ns(SYS_MONOTONIC) >= before && sys_clock_ns(SYS_BOOTTIME) >= before);
	CHECK(sys_clock_ns(SYS_REALTIME) / 1000000000 - time(NULL) < 2 && sys_clock_ns(3) == -EINVAL);
	CHECK(sys_usage(SYS_SELF, words) == 0 && words[2] > 1 << 16 && words[3] > 0 &&
	      sys_usage(3, words) == -EINVAL);
	CHECK(sys_config(SYS_CLOCK_TICKS) == 100 && sys_config(SYS_PAGE_BYTES) >= 4096);
	CHECK(sys_config(SYS_POSSIBLE_CPUS) >= sys_config(SYS_ONLINE_CPUS) && sys_config(9) == -EINVAL);
}

static void test_pidfd(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	int pidfd = sys_pidfd_open(child);

	if (pidfd == -ENOSYS) { /* qemu-user of Debian 12 does not know it */
		kill(child, SIGKILL);
		CHECK(waitpid(child, &status, 0) == child);
		return;
	}
	CHECK(pidfd >= 0 && sys_pidfd_wait(pidfd, 0) == 0);
	CHECK(sys_pidfd_signal(pidfd, SIGTERM) == 0 && sys_pidfd_wait(pidfd, -1) == 1);
	CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
	CHECK(sys_pidfd_signal(pidfd, SIGTERM) == -ESRCH);
	CHECK(sys_close(pidfd) == 0 && sys_close(pidfd) == -EBADF && sys_pidfd_wait(pidfd, 0) == -EBADF);
}

static void test_scheduling(void)
{
	int32_t nice = 99, priority = 99;
	uint8_t mask[SYS_CPUS_MAX / 8], one[SYS_CPUS_MAX / 8] = {0};

	CHECK(sys_nice_set(0, 5) == 0 && sys_nice_get(0, &nice) == 0 && nice == 5);
	CHECK(sys_nice_get(-2, &nice) == -ESRCH);
	CHECK(sys_policy_set(0, SYS_NORMAL, 0) == 0 && sys_policy_get(0, &priority) == SYS_NORMAL &&
	      priority == 0);
	CHECK(sys_policy_set(0, 9, 0) == -EINVAL && sys_policy_set(0, SYS_FIFO, 100) < 0);
	CHECK(sys_affinity_get(0, mask) == 0);
	for (uint32_t cpu = 0; cpu < SYS_CPUS_MAX; cpu++)
		if ((mask[cpu / 8] >> cpu % 8 & 1) != 0)
			one[cpu / 8] = (uint8_t)(1 << cpu % 8), cpu = SYS_CPUS_MAX;
	CHECK(sys_affinity_set(0, one) == 0 && sys_affinity_get(0, mask) == 0);
	CHECK(memcmp(mask, one, sizeof one) == 0);
	memset(one, 0, sizeof one);
	CHECK(sys_affinity_set(0, one) == -EINVAL);
}

static void test_process(void)
{
	char name[16];
	int number = 0;

	CHECK(
	    sys_thread_name("hostkit") == 0 && prctl(PR_GET_NAME, name) == 0 && strcmp(name, "hostkit") == 0);
	CHECK(sys_parent_death_signal(SIGTERM) == 0 && prctl(PR_GET_PDEATHSIG, &number) == 0 &&
	      number == SIGTERM);
	CHECK(sys_parent_death_signal(0) == 0 && sys_parent_death_signal(999) == -EINVAL);
	sys_umask(027);
	CHECK(sys_umask(022) == 027);
	CHECK(sys_error_to("/no/such/folder/file") == -ENOENT);
	CHECK(sys_exec("/no/such/program", sizeof "/no/such/program", 0) == -ENOENT);
}

static volatile sig_atomic_t hang_ups;

static void on_hang_up(int number)
{
	hang_ups += number == SIGHUP;
}

/* Whoever is asked twice to begin anew is not ended in between. */
static void test_hang_up(void)
{
	static const char hangs_up[] = "/bin/sh\0-c\0kill -HUP $$; kill -TERM $$; exit 7";
	sigset_t set;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(sys_exec(hangs_up, sizeof hangs_up, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	pid = fork();
	if (pid == 0) {
		bool waits = sys_hold_signals() == 0 && kill(getpid(), SIGTERM) == 0 &&
		             sigpending(&set) == 0 && sigismember(&set, SIGTERM) == 1;
		_exit(waits ? 7 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGHUP, on_hang_up);
	raise(SIGHUP);
	CHECK(hang_ups == 0 && sys_hear_signals() == 0 && hang_ups == 1);
	/* What could not begin anew hears as before. */
	CHECK(sys_exec("/no/such/program", sizeof "/no/such/program", 0) == -ENOENT && raise(SIGHUP) == 0 &&
	      hang_ups == 2);
}

static void test_senders(void)
{
	static const int numbers[] = {SIGTERM, SIGABRT, SIGKILL};
	struct itimerval soon = {.it_value = {.tv_usec = 1}};
	int status, before = hang_ups;

	CHECK(sys_note_sender(0) == -EINVAL && sys_note_sender(SIGUSR1) == -EINVAL);
	CHECK(sys_sent_by_process(SIGHUP) == -ENODATA && sys_sent_by_process(NSIG) == -EINVAL);
	signal(SIGHUP, on_hang_up);
	signal(SIGALRM, on_hang_up);
	CHECK(sys_note_sender(SIGHUP) == 0 && sys_note_sender(SIGHUP) == 0 && sys_note_sender(SIGALRM) == 0);
	CHECK(raise(SIGHUP) == 0 && hang_ups == before + 1 && sys_sent_by_process(SIGHUP) == 1);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	while (sys_sent_by_process(SIGALRM) == -ENODATA)
		usleep(1000);
	CHECK(sys_sent_by_process(SIGALRM) == 0);
	for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++) {
		pid_t pid = fork();

		if (pid == 0) {
			signal(SIGTERM, SIG_IGN);
			sys_end_by(numbers[at]);
			_exit(1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		      WTERMSIG(status) == numbers[at] && !WCOREDUMP(status));
	}
	CHECK(sys_ignore(SIGHUP) == 0 && raise(SIGHUP) == 0 && hang_ups == before + 1);
	CHECK(sys_note_sender(SIGHUP) == -EINVAL && sys_ignore(SIGKILL) == -EINVAL);
	CHECK(sys_end_by(SIGWINCH) == 0 && sys_end_by(999) == -EINVAL);
}

int main(void)
{
	test_clocks_and_usage();
	test_pidfd();
	test_scheduling();
	test_process();
	test_hang_up();
	test_senders();
	puts("sys_test: ok");
	return 0;
}
