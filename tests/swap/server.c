/*
 * A server as a careful author writes it: it takes a socket that is passed to it (LISTEN_FDS), else binds
 * $PORT; a thread for each connection, 2 ms for each request; on SIGTERM it takes no more connections,
 * answers what comes on those that it has with "Connection: close", and ends when none is left, after two
 * seconds at most.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINGER_MS 2000
#define STACK_BYTES 65536

static atomic_bool draining;
static atomic_int open_count;
static unsigned service_us = 2000;

static void on_term(int number)
{
	(void)number;
	atomic_store(&draining, true);
}

static bool answer(int fd, const char *request)
{
	char text[300];
	bool closes = atomic_load(&draining) || strcasestr(request, "connection: close") != NULL;
	int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n%s\r\nok\n",
	    closes ? "Connection: close\r\n" : "");

	if (service_us > 0)
		usleep(service_us);
	return send(fd, text, (size_t)length, MSG_NOSIGNAL) == length && !closes;
}

static void *serve(void *argument)
{
	int fd = (int)(long)argument;
	char text[8192];
	size_t used = 0;
	bool goes_on = true;

	while (goes_on) {
		ssize_t got = recv(fd, text + used, sizeof text - 1 - used, 0);

		if (got <= 0)
			break;
		used += (size_t)got;
		text[used] = '\0';
		if (strstr(text, "\r\n\r\n") == NULL)
			continue;
		goes_on = answer(fd, text);
		used = 0;
	}
	close(fd);
	atomic_fetch_sub(&open_count, 1);
	return NULL;
}

static int listener(void)
{
	const char *passed = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"), *port = getenv("PORT");
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd, one = 1;

	if (passed != NULL && pid != NULL && atoi(pid) == getpid())
		return 3;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	address.sin_port = htons((unsigned short)atoi(port == NULL ? "0" : port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
		perror("bind");
		exit(1);
	}
	return fd;
}

int main(void)
{
	int fd = listener();
	struct pollfd incoming = {.fd = fd, .events = POLLIN};
	pthread_attr_t small;

	if (getenv("SERVICE_US") != NULL)
		service_us = (unsigned)atoi(getenv("SERVICE_US"));
	signal(SIGTERM, on_term);
	pthread_attr_init(&small);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	puts("up");
	fflush(stdout);
	while (!atomic_load(&draining)) {
		pthread_t thread;
		int client;

		if (poll(&incoming, 1, 20) <= 0)
			continue;
		client = accept(fd, NULL, NULL); /* somebody else may have been faster */
		if (client < 0)
			continue;
		atomic_fetch_add(&open_count, 1);
		if (pthread_create(&thread, &small, serve, (void *)(long)client) != 0) {
			atomic_fetch_sub(&open_count, 1);
			close(client);
		}
	}
	close(fd);
	for (int waited = 0; waited < LINGER_MS && atomic_load(&open_count) > 0; waited += 5)
		usleep(5000);
	return 0;
}
