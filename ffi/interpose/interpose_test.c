/* Linked into one program, the functions are libc's own for it, as if they had been preloaded. */
#include "interpose.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "../keeper/handover_test.h"

/* The port that the program under test asks for: bound by nobody, since what is asked for never happens. */
#define ASKED 61234

static char folder[] = "/tmp/interpose_test.XXXXXX";
static int kept;
static struct sockaddr_in kept_address;

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_kept(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t bytes = sizeof kept_address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&kept_address, &bytes) == 0);
	return fd;
}

static int bound(int type, uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, type, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static bool is_kept(int fd)
{
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;

	CHECK(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
	return address.sin_port == kept_address.sin_port;
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(connect(fd, (struct sockaddr *)&kept_address, sizeof kept_address) == 0);
	return fd;
}

static void tell(const char *name)
{
	char text[200];

	snprintf(text, sizeof text, "1=other:%d=%s:%s", ASKED, name, folder);
	CHECK(setenv(INTERPOSE_VARIABLE, text, 1) == 0);
	CHECK(setenv("LD_PRELOAD", "/a/first.so:/b/interpose.so second.so", 1) == 0);
}

static void test_others(void)
{
	struct sockaddr_in address = loopback(ASKED);
	int wrong;

	/* Without the variable, of another port, of another type, and when the keeper has none of that name.
	 */
	wrong = bound(SOCK_STREAM, ASKED);
	CHECK(!is_kept(wrong) && listen(wrong, 1) == 0 && close(wrong) == 0);
	tell("web");
	CHECK(close(bound(SOCK_STREAM, 0)) == 0 && close(bound(SOCK_DGRAM, ASKED)) == 0);
	CHECK(getenv(INTERPOSE_VARIABLE) != NULL);
	tell("nobody");
	wrong = bound(SOCK_STREAM, ASKED);
	CHECK(!is_kept(wrong) && close(wrong) == 0 && getenv(INTERPOSE_VARIABLE) != NULL);
	CHECK(bind(-1, (struct sockaddr *)&address, sizeof address) < 0 && errno == EBADF);
	CHECK(accept(-1, NULL, NULL) < 0 && errno == EBADF);
	CHECK(setenv(INTERPOSE_VARIABLE, "rubbish", 1) == 0);
	CHECK(close(bound(SOCK_STREAM, ASKED)) == 0);
}

/* A program that wants to block is made to wait. */
static void test_blocking(void)
{
	int fd, copy, client, one = 1, zero = 0;

	tell("web");
	fd = bound(SOCK_STREAM | SOCK_CLOEXEC, ASKED);
	CHECK(is_kept(fd) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(getenv(INTERPOSE_VARIABLE) == NULL);
	CHECK(strcmp(getenv("LD_PRELOAD"), "/a/first.so:second.so") == 0);
	CHECK(listen(fd, 0) == 0); /* of 0 the third connection would hang */
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 && (syscall(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0);
	pid_t later = fork();

	if (later == 0) {
		usleep(20000);
		_exit(close(connected()));
	}
	client = accept(fd, NULL, NULL);
	CHECK(client >= 0 && (fcntl(client, F_GETFL) & O_NONBLOCK) == 0 && close(client) == 0);
	CHECK(waitpid(later, NULL, 0) == later);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 50);
	CHECK(copy >= 50 && (fcntl(copy, F_GETFL) & O_NONBLOCK) == 0 && close(copy) == 0);
	CHECK(ioctl(fd, FIONBIO, &one) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	CHECK(ioctl(fd, FIONBIO, &zero) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	CHECK((syscall(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	CHECK(fcntl(fd, F_SETFL, 0) == 0 && (syscall(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(close(fd) == 0);
	/* What has the descriptor now is nothing special. */
	int other = bound(SOCK_STREAM, 0);

	CHECK(other == fd && fcntl(other, F_SETFL, O_NONBLOCK) == 0 && listen(other, 1) == 0);
	CHECK(close(other) == 0);
}

/* The second time in one program, non-blocking; then it drains. */
static void test_draining(void)
{
	char path[64];
	int fd = bound(SOCK_STREAM | SOCK_NONBLOCK, ASKED), client, accepted, flag;

	CHECK(is_kept(fd) && accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	client = connected();
	snprintf(path, sizeof path, "%s/drain", folder);
	flag = open(path, O_CREAT | O_WRONLY, 0600);
	CHECK(flag >= 0 && close(flag) == 0 && accept(fd, NULL, NULL) < 0 && errno == EAGAIN);
	CHECK(unlink(path) == 0);
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	CHECK(accepted >= 0 && fcntl(accepted, F_GETFD) == FD_CLOEXEC);
	CHECK(close(accepted) == 0 && close(client) == 0 && close(fd) == 0);
}

static void test_elsewhere(void)
{
	int fds[2], waiting = 0;

	CHECK(pipe(fds) == 0 && write(fds[1], "abc", 3) == 3);
	CHECK(ioctl(fds[0], FIONREAD, &waiting) == 0 && waiting == 3);
	CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl64(fds[0], F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(-1, F_GETFL) < 0 && errno == EBADF && ioctl(-1, FIONBIO, &waiting) < 0);
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
	int owned = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fcntl(owned, F_SETOWN, -getpgrp()) == 0 && fcntl(owned, F_GETOWN) == -getpgrp());
	CHECK(fcntl(owned, F_SETOWN, getpid()) == 0 && fcntl(owned, F_GETOWN) == getpid());
	CHECK(close(owned) == 0);
}

int main(void)
{
	struct {
		uint32_t length, kind;
		char names[16];
	} answer = {10, KEEPER_HAND_OVER, "other\0web\0"};
	char path[64];
	pid_t keeper;

	CHECK(mkdtemp(folder) != NULL);
	kept = open_kept();
	int fds[2] = {kept, kept};

	keeper = fake_keeper(folder, &(struct answer){&answer, 18, fds, 2});
	test_elsewhere();
	test_others();
	test_blocking();
	test_draining();
	end_fake_keeper(keeper);
	snprintf(path, sizeof path, "%s/control", folder);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0 && close(kept) == 0);
	puts("interpose: ok");
	return 0;
}
