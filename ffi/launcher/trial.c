#include "trial.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A runtime tells its version in milliseconds; after this many seconds the try is ended by SIGALRM. */
#define TRIAL_S 10
#define CANNOT_EXEC 126

static void run(const char *program, const struct loader *loader, int output)
{
	const char *straight[] = {program, "--version", NULL};
	const char *called[] = {loader->path, program, "--version", NULL};
	const char *with[] = {loader->path, "--library-path", loader->libraries, program, "--version", NULL};
	const char **args = !loader->called ? straight : loader->libraries[0] == '\0' ? called : with;

	alarm(TRIAL_S);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(CANNOT_EXEC);
	execv(args[0], (char *const *)args);
	/* The kernel says so of a missing loader too. */
	dprintf(STDERR_FILENO, "%s\n", errno == ENOENT ? "there is no such loader" : strerror(errno));
	_exit(CANNOT_EXEC);
}

/* Reads to the end, so that nobody is stopped by a full pipe, and keeps the first line. */
static void read_line(int from, char line[REASON_SIZE])
{
	char rest[REASON_SIZE];
	size_t length = 0;
	ssize_t got;

	while ((got = read(from, rest, sizeof(rest))) > 0 || (got < 0 && errno == EINTR))
		for (ssize_t at = 0; at < got && length < REASON_SIZE - 1; at++)
			line[length++] = rest[at];
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

bool trial_starts(const char *program, const struct loader *loader, char reason[REASON_SIZE])
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		snprintf(reason, REASON_SIZE, "%s", strerror(errno));
		return false;
	}
	if (pid == 0)
		run(program, loader, ends[1]);
	close(ends[1]);
	read_line(ends[0], reason);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (reason[0] == '\0' && WIFSIGNALED(status))
		snprintf(reason, REASON_SIZE, "it ended by signal %d", WTERMSIG(status));
	else if (reason[0] == '\0')
		snprintf(reason, REASON_SIZE, "it ended with exit code %d", WEXITSTATUS(status));
	return false;
}
