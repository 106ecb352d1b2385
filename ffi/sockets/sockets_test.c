#include "sockets.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../keeper/handover_test.h"

static char folder[] = "/tmp/sockets_test.XXXXXX";

static void test_internet(void)
{
	char text[SOCKETS_ADDRESS];
	uint16_t port = 0, again;
	int fd = sockets_listen_ip("127.0.0.1", 0), six;

	CHECK(fd >= 0 && sockets_address(fd, text, &port) == SOCKETS_IP);
	CHECK(strcmp(text, "127.0.0.1") == 0 && port > 0);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(sockets_listen_ip("127.0.0.1", port) == -EADDRINUSE);
	CHECK(sockets_listen_ip("localhost", 0) == -EINVAL && sockets_listen_ip("", 0) == -EINVAL);
	CHECK(sockets_set_inherited(fd, 1) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(sockets_set_inherited(fd, 0) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	int copy = sockets_duplicate(fd);

	CHECK(copy > fd && sockets_address(copy, text, &again) == SOCKETS_IP && again == port);
	CHECK(sockets_close(fd) == 0 && sockets_close(fd) == -EBADF && sockets_duplicate(fd) == -EBADF);
	CHECK(fcntl(copy, F_GETFD) == FD_CLOEXEC && sockets_close(copy) == 0);
	CHECK(sockets_set_inherited(fd, 1) == -EBADF && sockets_address(fd, text, &again) == -EBADF);
	six = sockets_listen_ip("::1", 0);
	/* Machines without version 6 are still there. */
	if (six < 0) {
		CHECK(six == -EADDRNOTAVAIL || six == -EAFNOSUPPORT);
		return;
	}
	CHECK(sockets_address(six, text, &port) == SOCKETS_IP && strcmp(text, "::1") == 0 && port > 0);
	CHECK(sockets_close(six) == 0);
}

static void test_waiting(void)
{
	int fd = sockets_listen_ip("127.0.0.1", 0), client = socket(AF_INET, SOCK_STREAM, 0), taken;
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;

	/* An emulated kernel may not know the option. */
	if (sockets_waiting(fd) == -EOPNOTSUPP) {
		CHECK(close(client) == 0 && sockets_close(fd) == 0);
		return;
	}
	CHECK(sockets_waiting(fd) == 0 && getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
	CHECK(connect(client, (struct sockaddr *)&address, bytes) == 0 && sockets_waiting(fd) == 1);
	taken = accept(fd, NULL, NULL);
	CHECK(taken >= 0 && sockets_waiting(fd) == 0 && close(taken) == 0);
	CHECK(close(client) == 0 && sockets_close(fd) == 0 && sockets_waiting(fd) == -EBADF);
}

static void test_path(void)
{
	char path[64], text[SOCKETS_ADDRESS], longest[200];
	struct stat found;
	uint16_t port;
	int fd;

	snprintf(path, sizeof path, "%s/listener", folder);
	fd = sockets_listen_unix(path);
	CHECK(fd >= 0 && stat(path, &found) == 0 && (found.st_mode & 0777) == 0600);
	CHECK(sockets_address(fd, text, &port) == SOCKETS_UNIX && strcmp(text, path) == 0 && port == 0);
	CHECK(sockets_listen_unix(path) == -EADDRINUSE);
	CHECK(sockets_close(fd) == 0);
	/* Its file is still there, and nobody listens. */
	fd = sockets_listen_unix(path);
	CHECK(fd >= 0 && sockets_close(fd) == 0 && unlink(path) == 0);
	/* What is no socket is never removed. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && close(fd) == 0 && sockets_listen_unix(path) == -EADDRINUSE && unlink(path) == 0);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	CHECK(sockets_listen_unix(longest) == -ENAMETOOLONG);
}

/* From now on permissions of paths cannot be changed. */
static void forbid_chmod(void)
{
	struct sock_filter program[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __NR_chmod
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_chmod, 1, 0),
#endif
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fchmodat, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof program / sizeof *program, program};

	/* An emulated kernel may know none of it: then all is as it is otherwise. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* What stands at the path between bind and chmod. */
static void test_path_is_never_open(void)
{
	char path[64];
	struct stat found;
	int status;
	pid_t pid;

	snprintf(path, sizeof path, "%s/closed", folder);
	pid = fork();
	if (pid == 0) {
		umask(0);
		forbid_chmod();
		sockets_listen_unix(path);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(stat(path, &found) == 0 && (found.st_mode & 0777) == 0600 && unlink(path) == 0);
}

static void test_send(void)
{
	int fd = sockets_connect_keeper("/no/such/folder", 200), ends[2];
	uint8_t block[4096] = {0};
	int64_t sent;

	CHECK(fd == -ENOENT && sockets_connect_keeper(folder, 200) == -ENOENT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && sockets_send(ends[0], block, 8) == 8);
	do
		sent = sockets_send(ends[0], block, sizeof block);
	while (sent > 0);
	CHECK(sent == -EAGAIN && close(ends[1]) == 0 && sockets_send(ends[0], block, 8) == -EPIPE);
	CHECK(close(ends[0]) == 0);
}

static void test_take(void)
{
	int fd = sockets_listen_ip("127.0.0.1", 0), pair[2];

	CHECK(fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 && fcntl(fd, F_SETFD, 0) == 0);
	CHECK(sockets_take(fd) == 0 && fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(sockets_close(fd) == 0 && sockets_take(fd) == -EBADF);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && sockets_take(pair[0]) == -EINVAL);
	CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
	CHECK(pipe(pair) == 0 && sockets_take(pair[0]) == -ENOTSOCK);
	CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void expect_message(const char *name, socklen_t bytes, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[16] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, bytes);
	CHECK(fd >= 0 &&
	      bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + bytes) == 0);
	CHECK(sockets_notify(path, "READY=1", 7) == 0 && recv(fd, text, sizeof text, 0) == 7);
	CHECK(strcmp(text, "READY=1") == 0);
	/* A reader that does not read is not waited for. */
	for (int sent = 0; sent >= 0;)
		CHECK((sent = sockets_notify(path, "x", 1)) == 0 || sent == -EAGAIN);
	CHECK(close(fd) == 0 && sockets_notify(path, "x", 1) == -ECONNREFUSED);
}

static void test_notify(void)
{
	char path[64], longest[200];

	snprintf(path, sizeof path, "%s/notify", folder);
	CHECK(sockets_notify(path, "x", 1) == -ENOENT);
	expect_message(path, strlen(path) + 1, path);
	CHECK(unlink(path) == 0);
	snprintf(path, sizeof path, "@%s", folder);
	path[0] = '\0';
	memcpy(longest, path, sizeof path);
	longest[0] = '@';
	expect_message(path, strlen(longest), longest);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	CHECK(sockets_notify(longest, "x", 1) == -ENAMETOOLONG);
}

static void expect_adopt(const struct answer *a, int expected)
{
	int fds[KEEPER_LISTENERS];
	char names[KEEPER_NAMES_MAX];
	pid_t pid = fake_keeper(folder, a);

	CHECK(sockets_adopt(folder, 200, fds, names) == expected);
	end_fake_keeper(pid);
}

static void test_adopt(void)
{
	struct {
		uint32_t length, kind;
		char names[12];
	} good = {10, KEEPER_HAND_OVER, "web\0admin\0"}, other = {10, 99, "web\0admin\0"},
	  none = {0, KEEPER_HAND_OVER, ""}, few = {4, KEEPER_HAND_OVER, "web\0"},
	  large = {KEEPER_NAMES_MAX + 1, KEEPER_HAND_OVER, ""};
	int sockets[2] = {sockets_listen_ip("127.0.0.1", 0), sockets_listen_ip("127.0.0.1", 0)};
	int fds[KEEPER_LISTENERS];
	char names[KEEPER_NAMES_MAX], first[SOCKETS_ADDRESS];
	uint16_t expected, port;
	pid_t pid = fake_keeper(folder, &(struct answer){&good, 18, sockets, 2});

	CHECK(sockets_adopt(folder, 1000, fds, names) == 2 && memcmp(names, "web\0admin", 10) == 0);
	CHECK(sockets_address(sockets[1], first, &expected) == SOCKETS_IP);
	CHECK(sockets_address(fds[1], first, &port) == SOCKETS_IP && port == expected);
	CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC && close(fds[0]) == 0 && close(fds[1]) == 0);
	end_fake_keeper(pid);
	expect_adopt(&(struct answer){&none, 8, NULL, 0}, 0);
	expect_adopt(&(struct answer){&other, 18, sockets, 2}, -EPROTO);
	expect_adopt(&(struct answer){&few, 12, sockets, 2}, -EPROTO);
	expect_adopt(&(struct answer){&good, 18, sockets, 1}, -EPROTO);
	expect_adopt(&(struct answer){&good, 12, sockets, 2}, -EPROTO); /* and then its end */
	expect_adopt(&(struct answer){&large, 20, NULL, 0}, -EPROTO);
	expect_adopt(&(struct answer){NULL, 0, NULL, 0}, -ETIMEDOUT);
	CHECK(sockets_adopt(folder, 200, fds, names) == -ECONNREFUSED);
	CHECK(sockets_adopt("/no/such/folder", 200, fds, names) == -ENOENT);
	CHECK(close(sockets[0]) == 0 && close(sockets[1]) == 0);
}

int main(void)
{
	char control[64];

	CHECK(mkdtemp(folder) != NULL);
	test_internet();
	test_waiting();
	test_path();
	test_path_is_never_open();
	test_send();
	test_take();
	test_notify();
	test_adopt();
	snprintf(control, sizeof control, "%s/control", folder);
	CHECK(unlink(control) == 0 && rmdir(folder) == 0);
	puts("sockets: ok");
	return 0;
}
