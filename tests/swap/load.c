/*
 * Clients that ask without pause (or with one) and count: load PORT CLIENTS KEEP_ALIVE PAUSE_US [METHOD]
 *
 * Says "begun" after the first answer, runs until its standard input ends, then tells its counts as JSON. A
 * client asks again on its connection when KEEP_ALIVE is 1. Nothing is retried: an answer that does not come
 * as a whole is a failure, one after more than two seconds is slow.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOW_NS 2000000000ull
#define LIMIT_S 10
#define CLIENTS_MAX 1024

static unsigned port, pause_us;
static bool keep_alive;
static const char *method = "GET";
static atomic_bool over;
static atomic_ullong answered, failed, slow, longest_ns, connections;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char first_failure[160];

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000000000ull + (unsigned long long)ts.tv_nsec;
}

static int fail(const char *what)
{
	pthread_mutex_lock(&lock);
	if (first_failure[0] == '\0')
		snprintf(first_failure, sizeof first_failure, "%s: %s", what, strerror(errno));
	pthread_mutex_unlock(&lock);
	return -1;
}

static int open_connection(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	struct timeval limit = {.tv_sec = LIMIT_S};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
		atomic_fetch_add(&connections, 1);
		return fd;
	}
	fail("connect");
	close(fd);
	return -1;
}

/* 1 when the text is a whole answer, 0 when more has to come; `closes` tells that the server closes behind
 * it. */
static int is_whole(const char *text, size_t bytes, bool ended, bool *closes)
{
	const char *body = strstr(text, "\r\n\r\n"), *field;

	if (body == NULL)
		return 0;
	body += 4;
	field = strcasestr(text, "\r\nconnection: close");
	*closes = (field != NULL && field < body) || strncmp(text, "HTTP/1.0", 8) == 0 || ended;
	field = strcasestr(text, "\r\ncontent-length:");
	if (field != NULL && field < body)
		return bytes >= (size_t)(body - text) + strtoul(field + 17, NULL, 10);
	field = strcasestr(text, "\r\ntransfer-encoding: chunked");
	if (field != NULL && field < body)
		return bytes >= 5 && memcmp(text + bytes - 5, "0\r\n\r\n", 5) == 0;
	return ended;
}

/* One request and its answer. Returns -1 on a failure, else whether the connection is to be closed. */
static int ask(int fd)
{
	char text[65536];
	size_t used = 0;
	bool closes = false;
	int length = snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: test\r\n%s%s\r\n", method,
	    strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "",
	    keep_alive ? "" : "Connection: close\r\n");

	if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
		return fail("send");
	for (;;) {
		ssize_t got = recv(fd, text + used, sizeof text - 1 - used, 0);

		if (got < 0)
			return fail("receive");
		used += (size_t)got;
		text[used] = '\0';
		if (is_whole(text, used, got == 0, &closes))
			break;
		errno = 0;
		if (got == 0)
			return fail(used == 0 ? "closed without an answer" : "closed in an answer");
	}
	errno = 0;
	if (strncmp(text + 8, " 200", 4) != 0)
		return fail("status is not 200");
	return closes || !keep_alive;
}

static void *client(void *unused)
{
	int fd = -1;

	while (!atomic_load(&over)) {
		unsigned long long began = now_ns(), spent;
		int closes;

		if (fd < 0)
			fd = open_connection();
		closes = fd < 0 ? -1 : ask(fd);
		spent = now_ns() - began;
		if (closes != 0 && fd >= 0) {
			close(fd);
			fd = -1;
		}
		if (spent > SLOW_NS)
			atomic_fetch_add(&slow, 1);
		if (spent > atomic_load(&longest_ns))
			atomic_store(&longest_ns, spent);
		if (closes >= 0 && atomic_fetch_add(&answered, 1) == 0) {
			puts("begun");
			fflush(stdout);
		}
		if (closes < 0) {
			atomic_fetch_add(&failed, 1);
			usleep(1000);
		}
		if (pause_us > 0)
			usleep(pause_us / 2 + (unsigned)rand() % pause_us);
	}
	if (fd >= 0)
		close(fd);
	return unused;
}

int main(int argc, char **argv)
{
	static pthread_t threads[CLIENTS_MAX];
	unsigned long long began = now_ns();
	char byte;

	if (argc < 5)
		return 64;
	port = (unsigned)atoi(argv[1]);
	int clients = atoi(argv[2]);

	keep_alive = atoi(argv[3]) == 1;
	pause_us = (unsigned)atoi(argv[4]);
	if (argc > 5)
		method = argv[5];
	for (int at = 0; at < clients; at++)
		pthread_create(&threads[at], NULL, client, NULL);
	while (read(0, &byte, 1) > 0)
		;
	atomic_store(&over, true);
	for (int at = 0; at < clients; at++)
		pthread_join(threads[at], NULL);
	printf("{\"answered\":%llu,\"failed\":%llu,\"slow\":%llu,\"longestMs\":%.1f,\"connections\":%llu,"
	       "\"seconds\":%.3f,"
	       "\"firstFailure\":\"%s\"}\n",
	    answered, failed, slow, (double)longest_ns / 1e6, connections, (double)(now_ns() - began) / 1e9,
	    first_failure);
	return 0;
}
