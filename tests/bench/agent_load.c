/*
 * A load of known size for the agent's programs: CALLS system calls that do nothing, then PASSES hand-overs
 * of a byte between two processes on one CPU, each of them a switch. agent_load CALLS PASSES
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void pass(int from, int to, long count)
{
	char byte = 0;
	for (long at = 0; at < count; at++)
		if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
			exit(1);
}

int main(int argc, char **argv)
{
	int there[2], back[2];
	cpu_set_t one;

	if (argc != 3)
		return 2;
	for (long at = atol(argv[1]); at > 0; at--)
		syscall(SYS_getppid);

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0 || pipe(there) < 0 || pipe(back) < 0)
		return 1;
	long passes = atol(argv[2]) / 2;
	pid_t child = fork();
	if (child < 0)
		return 1;
	if (child == 0) {
		pass(there[0], back[1], passes);
		return 0;
	}
	if (write(there[1], "", 1) != 1)
		return 1;
	/* The last byte stays in the pipe. */
	pass(back[0], there[1], passes);
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
