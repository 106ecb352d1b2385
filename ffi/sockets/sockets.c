/* Opens listening sockets, and has them back from keepers. */
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../keeper/handover.h"

static int listen_at(int family, const struct sockaddr *address, socklen_t bytes)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, no = 0, result = 0;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
		result = -errno;
	/* The file of a path gets these, less the umask's (unix_bind_bsd, net/unix/af_unix.c): nobody
	 * connects before the permissions are those that were asked for. */
	if (family == AF_UNIX && fchmod(fd, 0600) < 0)
		result = -errno;
	/* Whatever the host's own default is. */
	if (result == 0 && family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) < 0)
		result = -errno;
	if (result == 0 && (bind(fd, address, bytes) < 0 || listen(fd, SOCKETS_BACKLOG) < 0))
		result = -errno;
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

int sockets_listen_ip(const char *address, uint16_t port)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return listen_at(AF_INET, (struct sockaddr *)&four, sizeof four);
	if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
		return listen_at(AF_INET6, (struct sockaddr *)&six, sizeof six);
	return -EINVAL;
}

/* Whether a socket file stands there that nobody listens on. */
static int is_stale(const struct sockaddr_un *address)
{
	struct stat found;
	int fd, stale;

	if (lstat(address->sun_path, &found) < 0 || !S_ISSOCK(found.st_mode))
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	stale = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

int sockets_listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = listen_at(AF_UNIX, (struct sockaddr *)&address, sizeof address);
	if (fd == -EADDRINUSE && is_stale(&address) && unlink(path) == 0)
		fd = listen_at(AF_UNIX, (struct sockaddr *)&address, sizeof address);
	/* The umask may have taken some. */
	if (fd >= 0 && chmod(path, 0600) < 0) {
		int result = -errno;

		close(fd);
		return result;
	}
	return fd;
}

int sockets_address(int32_t fd, char *text, uint16_t *port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un unix;
	} address = {.any.sa_family = AF_UNSPEC};
	socklen_t bytes = sizeof address;
	const void *number;

	if (getsockname(fd, &address.any, &bytes) < 0)
		return -errno;
	*port = 0;
	if (address.any.sa_family == AF_UNIX) {
		snprintf(
		    text, SOCKETS_ADDRESS, "%.*s", (int)sizeof address.unix.sun_path, address.unix.sun_path);
		return SOCKETS_UNIX;
	}
	number = &address.six.sin6_addr;
	if (address.any.sa_family == AF_INET)
		number = &address.four.sin_addr;
	if (inet_ntop(address.any.sa_family, number, text, SOCKETS_ADDRESS) == NULL)
		return -errno;
	/* At the same place in both. */
	*port = ntohs(address.four.sin_port);
	return SOCKETS_IP;
}

int sockets_set_inherited(int32_t fd, uint32_t inherited)
{
	return fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC) < 0 ? -errno : 0;
}

int sockets_take(int32_t fd)
{
	int type = 0, listens = 0, flags;
	socklen_t bytes = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0)
		return -errno;
	bytes = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) < 0)
		return -errno;
	if (type != SOCK_STREAM || !listens)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return sockets_set_inherited(fd, 0);
}

int sockets_notify(const char *path, const char *message, uint32_t bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd, result = 0;

	if (length >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, message, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
	        offsetof(struct sockaddr_un, sun_path) + length) < 0)
		result = -errno;
	close(fd);
	return result;
}

int sockets_duplicate(int32_t fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

int sockets_close(int32_t fd)
{
	return close(fd) < 0 ? -errno : 0;
}

int sockets_waiting(int32_t fd)
{
	struct tcp_info info;
	socklen_t bytes = sizeof info;

	/* Of a listener it is the length of its queue (tcp_get_info, net/ipv4/tcp.c). */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0)
		return -errno;
	/* qemu's emulation gives it as a mere int. */
	return bytes < offsetof(struct tcp_info, tcpi_sacked) ? -EOPNOTSUPP : (int)info.tcpi_unacked;
}

int sockets_peer(int32_t fd, uint32_t *pid_uid_gid)
{
	struct ucred peer;
	socklen_t bytes = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0)
		return -errno;
	/* The kernel knows none of a socket that is not of a path, or not connected. */
	if (bytes != sizeof peer || peer.uid == (uid_t)-1)
		return -ENOTCONN;
	pid_uid_gid[0] = (uint32_t)peer.pid;
	pid_uid_gid[1] = peer.uid;
	pid_uid_gid[2] = peer.gid;
	return 0;
}

int sockets_adopt(const char *folder, uint32_t limit_ms, int32_t *fds, char *names)
{
	return handover_ask(folder, limit_ms, fds, names);
}

int sockets_connect_keeper(const char *folder, uint32_t limit_ms)
{
	return handover_connect(folder, limit_ms);
}

int64_t sockets_send(int32_t fd, const uint8_t *bytes, uint64_t count)
{
	ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : sent;
}
