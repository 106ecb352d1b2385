/*
 * Work of a known size, for comparing an agent's figures with. Runs in a guest that has no libc: linked
 * statically. Each word prints what it did, `name value` a line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TCP_LIMIT_S 30

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* write COUNT: as many system calls, of one byte each. */
static void small_writes(long count)
{
	int fd = open("/dev/null", O_WRONLY);

	if (fd < 0)
		fail("open /dev/null");
	for (long i = 0; i < count; i++)
		if (write(fd, "x", 1) != 1)
			fail("write");
	close(fd);
}

/* Sends all of it in calls that do not wait: most take less than they are asked to, or nothing. */
static void send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT);
		struct pollfd room = {.fd = fd, .events = POLLOUT};

		if (sent < 0 && errno == EAGAIN) {
			poll(&room, 1, -1);
			continue;
		}
		if (sent <= 0)
			fail("send");
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* The same from a file. */
static void send_file(int fd, int file, size_t length)
{
	off_t from = 0;

	while ((size_t)from < length)
		if (sendfile(fd, file, &from, length - (size_t)from) <= 0)
			fail("sendfile");
}

/* Peeks, then reads to the end; waits for whole buffers. */
static size_t receive_all(int fd)
{
	static char buffer[65536];
	size_t total = 0;
	ssize_t got;

	recv(fd, buffer, 100, MSG_PEEK);
	while ((got = recv(fd, buffer, sizeof(buffer), MSG_WAITALL)) > 0)
		total += (size_t)got;
	if (got < 0)
		fail("recv");
	return total;
}

/* tcp COUNT BYTES: connections over loopback, each of which sends so many bytes one way; every other one from
 * a file. */
static void connections(long count, size_t bytes)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int file = open("/tmp", O_RDWR | O_TMPFILE, 0600), room = 16384;
	char *data = calloc(1, bytes);
	size_t received = 0;
	int status;

	if (file < 0 || ftruncate(file, (off_t)bytes))
		fail("make a file in /tmp");
	if (!data || listener < 0 || bind(listener, (void *)&address, length) ||
	    listen(listener, (int)count) || getsockname(listener, (void *)&address, &length))
		fail("listen");
	/* Should one side fail, the other does not wait for it for ever. */
	alarm(TCP_LIMIT_S);
	if (fork() == 0) {
		for (long i = 0; i < count; i++) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) ||
			    connect(fd, (void *)&address, length))
				fail("connect");
			if (i % 2)
				send_file(fd, file, bytes);
			else
				send_all(fd, data, bytes);
			close(fd);
		}
		exit(0);
	}
	for (long i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			fail("accept");
		received += receive_all(fd);
		close(fd);
	}
	wait(&status);
	if (status != 0)
		exit(1);
	printf("connects %ld\nbytes %zu\n", count, received);
}

/* late ROUNDS BYTES GATE: makes one connection, and sends over it when somebody writes into the fifo. */
static void late(long rounds, size_t bytes, const char *gate)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), sender = socket(AF_INET, SOCK_STREAM, 0), receiver;
	char *data = calloc(1, bytes);

	if (!data || listen(listener, 1) || getsockname(listener, (void *)&address, &length) ||
	    connect(sender, (void *)&address, length) || (receiver = accept(listener, NULL, NULL)) < 0 ||
	    open(gate, O_RDONLY) < 0)
		fail("wait with a connection");
	for (long i = 0; i < rounds; i++) {
		send_all(sender, data, bytes);
		if (recv(receiver, data, bytes, MSG_WAITALL) != (ssize_t)bytes)
			fail("recv");
	}
}

static uint64_t process_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* burn CPU MS: so much CPU time on one CPU. Tells the scheduler's own account of this process. */
static void burn(int cpu, long ms)
{
	cpu_set_t set;
	FILE *file;
	unsigned long long ran = 0;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
	while (process_ns() < (uint64_t)ms * 1000000u)
		;
	file = fopen("/proc/self/schedstat", "r");
	if (!file || fscanf(file, "%llu", &ran) != 1)
		fail("read /proc/self/schedstat");
	fclose(file);
	printf("pid %d\nran_ns %llu\n", getpid(), ran);
}

/* sleep COUNT: as many sleeps of 100 us. Tells how often the kernel saw it give the CPU away. */
static void short_sleeps(long count)
{
	struct timespec moment = {.tv_nsec = 100000};
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (long i = 0; i < count; i++)
		nanosleep(&moment, NULL);
	getrusage(RUSAGE_SELF, &after);
	printf("voluntary %ld\n", after.ru_nvcsw - before.ru_nvcsw);
}

/* get SOCKET PATH: the body of an HTTP answer that comes over a unix socket, as it is. */
static void get(const char *socket_path, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	static char buffer[1 << 20];
	char request[256];
	size_t length = 0;
	char *body;
	ssize_t got;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd < 0 || connect(fd, (void *)&address, sizeof(address)))
		fail(socket_path);
	/* HTTP/1.0: the answer ends with the connection, and comes in no chunks. */
	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
	send_all(fd, request, strlen(request));
	while (length < sizeof(buffer) && (got = recv(fd, buffer + length, sizeof(buffer) - length, 0)) > 0)
		length += (size_t)got;
	body = memmem(buffer, length, "\r\n\r\n", 4);
	if (!body || strncmp(buffer + 9, "200", 3) != 0) {
		fprintf(stderr, "GET %s: %.*s\n", path, (int)length, buffer);
		exit(1);
	}
	body += 4;
	fwrite(body, 1, length - (size_t)(body - buffer), stdout);
}

int main(int count, char **words)
{
	if (count == 3 && !strcmp(words[1], "write"))
		small_writes(atol(words[2]));
	else if (count == 4 && !strcmp(words[1], "tcp"))
		connections(atol(words[2]), (size_t)atol(words[3]));
	else if (count == 5 && !strcmp(words[1], "late"))
		late(atol(words[2]), (size_t)atol(words[3]), words[4]);
	else if (count == 4 && !strcmp(words[1], "burn"))
		burn(atoi(words[2]), atol(words[3]));
	else if (count == 3 && !strcmp(words[1], "sleep"))
		short_sleeps(atol(words[2]));
	else if (count == 4 && !strcmp(words[1], "get"))
		get(words[2], words[3]);
	else {
		fprintf(stderr, "workload: write COUNT | tcp COUNT BYTES | late ROUNDS BYTES GATE | burn CPU "
		                "MS | sleep COUNT | "
		                "get SOCKET PATH\n");
		return 2;
	}
	return 0;
}
