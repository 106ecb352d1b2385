#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll

static int result_of(long result)
{
	return result < 0 ? -errno : (int)result;
}

int64_t sys_clock_ns(uint32_t clock)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
	struct timespec ts;

	if (clock >= sizeof clocks / sizeof *clocks)
		return -EINVAL;
	if (clock_gettime(clocks[clock], &ts) < 0)
		return -errno;
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t timeval_ns(struct timeval tv)
{
	return tv.tv_sec * NS_PER_S + tv.tv_usec * 1000;
}

int sys_usage(uint32_t who, int64_t *words)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD};
	struct rusage usage;

	if (who >= sizeof whose / sizeof *whose)
		return -EINVAL;
	if (getrusage(whose[who], &usage) < 0)
		return -errno;
	words[0] = timeval_ns(usage.ru_utime);
	words[1] = timeval_ns(usage.ru_stime);
	words[2] = usage.ru_maxrss * 1024; /* the kernel counts KiB */
	words[3] = usage.ru_minflt;
	words[4] = usage.ru_majflt;
	words[5] = usage.ru_inblock;
	words[6] = usage.ru_oublock;
	words[7] = usage.ru_nvcsw;
	words[8] = usage.ru_nivcsw;
	return 0;
}

/* Per-CPU maps of BPF have a value for each possible CPU: one more than the last number of a list such as
 * "0-3,8-11". _SC_NPROCESSORS_CONF counts folders instead, which is less where CPUs can be plugged in. */
static int64_t possible_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	long last = -1, number;

	if (file == NULL)
		return sysconf(_SC_NPROCESSORS_CONF);
	while (fscanf(file, "%ld", &number) == 1) {
		last = number;
		if (fgetc(file) == EOF)
			break;
	}
	fclose(file);
	return last < 0 ? -ENODATA : last + 1;
}

int64_t sys_config(uint32_t name)
{
	switch (name) {
	case SYS_CLOCK_TICKS:
		return sysconf(_SC_CLK_TCK);
	case SYS_PAGE_BYTES:
		return sysconf(_SC_PAGESIZE);
	case SYS_POSSIBLE_CPUS:
		return possible_cpus();
	case SYS_ONLINE_CPUS:
		return sysconf(_SC_NPROCESSORS_ONLN);
	default:
		return -EINVAL;
	}
}

int sys_pidfd_open(int32_t pid)
{
	return result_of(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_signal(int32_t pidfd, int32_t number)
{
	return result_of(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0));
}

int sys_pidfd_wait(int32_t pidfd, int32_t timeout_ms)
{
	struct pollfd item = {.fd = pidfd, .events = POLLIN};
	int result;

	if (timeout_ms < 0 || timeout_ms > SYS_WAIT_MAX_MS)
		timeout_ms = SYS_WAIT_MAX_MS;
	result = poll(&item, 1, timeout_ms);
	if (result < 0)
		return errno == EINTR ? 0 : -errno;
	return (item.revents & POLLNVAL) != 0 ? -EBADF : result;
}

int sys_close(int32_t fd)
{
	return result_of(close(fd));
}

int sys_nice_get(int32_t pid, int32_t *nice)
{
	/* -1 is also a nice value: only errno tells. */
	errno = 0;
	*nice = getpriority(PRIO_PROCESS, (id_t)pid);
	return -errno;
}

int sys_nice_set(int32_t pid, int32_t nice)
{
	return result_of(setpriority(PRIO_PROCESS, (id_t)pid, nice));
}

static const int policies[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR};

int sys_policy_set(int32_t pid, uint32_t policy, int32_t priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (policy >= sizeof policies / sizeof *policies)
		return -EINVAL;
	return result_of(sched_setscheduler(pid, policies[policy], &param));
}

int sys_policy_get(int32_t pid, int32_t *priority)
{
	struct sched_param param;
	int policy = sched_getscheduler(pid);

	if (policy < 0 || sched_getparam(pid, &param) < 0)
		return -errno;
	*priority = param.sched_priority;
	for (int i = 0; i < (int)(sizeof policies / sizeof *policies); i++)
		if (policies[i] == (policy & ~SCHED_RESET_ON_FORK))
			return i;
	return -EOPNOTSUPP;
}

int sys_affinity_get(int32_t pid, uint8_t *mask)
{
	/* The raw call: glibc's fails on masks that are larger than its cpu_set_t expects. It returns the
	 * bytes set. */
	long bytes = syscall(SYS_sched_getaffinity, pid, SYS_CPUS_MAX / 8, mask);

	if (bytes < 0)
		return -errno;
	for (; bytes < SYS_CPUS_MAX / 8; bytes++)
		mask[bytes] = 0;
	return 0;
}

int sys_affinity_set(int32_t pid, const uint8_t *mask)
{
	return result_of(syscall(SYS_sched_setaffinity, pid, SYS_CPUS_MAX / 8, mask));
}

int sys_reap(int32_t pid)
{
	return pid > 0 && waitpid(pid, NULL, WNOHANG) == pid;
}

int sys_parent_death_signal(int32_t number)
{
	return result_of(prctl(PR_SET_PDEATHSIG, (unsigned long)number, 0, 0, 0));
}

int sys_thread_name(const char *name)
{
	return result_of(prctl(PR_SET_NAME, name, 0, 0, 0));
}

int sys_umask(uint32_t mask)
{
	return (int)umask((mode_t)mask);
}

int sys_error_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return -errno;
	result = result_of(dup2(fd, STDERR_FILENO));
	close(fd);
	return result < 0 ? result : 0;
}

/* Those that end a program, or have it begin anew. */
static sigset_t ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

/* The one thread whose waiting signals the next program finds: execve(2) drops those of the others. */
static volatile pid_t holder;

static void pass_on(int number)
{
	int before = errno;

	syscall(SYS_tgkill, getpid(), holder, number);
	errno = before;
}

int sys_hold_signals(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
	sigset_t ending = ending_signals();

	holder = (pid_t)syscall(SYS_gettid);
	if (sigprocmask(SIG_BLOCK, &ending, NULL) < 0)
		return -errno;
	for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++)
		if (sigaction(numbers[at], &action, NULL) < 0)
			return -errno;
	return 0;
}

int sys_hear_signals(void)
{
	sigset_t ending = ending_signals();

	return result_of(sigprocmask(SIG_UNBLOCK, &ending, NULL));
}

int sys_exec(const char *words, uint32_t bytes, int32_t number)
{
	const char **argv = calloc((size_t)bytes + 1, sizeof *argv);
	size_t count = 0;
	sigset_t ending = ending_signals(), before;
	int error;

	if (argv == NULL)
		return -ENOMEM;
	for (const char *word = words; word < words + bytes; word += strlen(word) + 1)
		argv[count++] = word;
	/* What else this thread has blocked the new program would find blocked. */
	sigprocmask(SIG_SETMASK, &ending, &before);
	if (number > 0)
		raise(number);
	execv(words, (char *const *)argv);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(argv);
	return -error;
}

/* Handlers know nothing but the number: what they share stands here. */
static struct sigaction noted_handlers[NSIG];
static volatile sig_atomic_t noted_senders[NSIG];
enum sender { NO_SENDER, KERNEL_SENT, PROCESS_SENT };

static void note_sender(int number, siginfo_t *info, void *context)
{
	const struct sigaction *next = &noted_handlers[number];

	noted_senders[number] = info->si_code > 0 ? KERNEL_SENT : PROCESS_SENT;
	if ((next->sa_flags & SA_SIGINFO) != 0)
		next->sa_sigaction(number, info, context);
	else
		next->sa_handler(number);
}

int sys_note_sender(int32_t number)
{
	struct sigaction action;

	if (number <= 0 || number >= NSIG)
		return -EINVAL;
	if (sigaction(number, NULL, &action) < 0)
		return -errno;
	if ((action.sa_flags & SA_SIGINFO) != 0) {
		if (action.sa_sigaction == note_sender)
			return 0;
	} else if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) {
		return -EINVAL;
	}
	noted_handlers[number] = action;
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = note_sender;
	return result_of(sigaction(number, &action, NULL));
}

int sys_sent_by_process(int32_t number)
{
	if (number <= 0 || number >= NSIG)
		return -EINVAL;
	return noted_senders[number] == NO_SENDER ? -ENODATA : noted_senders[number] == PROCESS_SENT;
}

int sys_ignore(int32_t number)
{
	return signal(number, SIG_IGN) == SIG_ERR ? -errno : 0;
}

int sys_end_by(int32_t number)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct rlimit no_core = {0, 0};
	sigset_t set;

	/* SIGKILL has no handler to take away, which is no failure. */
	if (sigaction(number, &action, NULL) < 0 && number != SIGKILL)
		return -errno;
	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return result_of(kill(getpid(), number));
}
