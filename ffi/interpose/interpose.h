/*
 * A preload object that gives a program which knows nothing of it a listening socket that is held by its
 * keeper: when the program binds a declared port, it gets that socket in the place of its own. With this, a
 * program can be started anew before the old one has ended, and no connection is refused.
 *
 *   LD_PRELOAD=.../interpose.so HOSTKIT_BIND=PORT=NAME[:PORT=NAME]...:FOLDER
 *
 * NAME is the socket's name at the keeper whose folder is FOLDER (../keeper/handover.h); its address need not
 * be the one that the program asked for. Both variables lose what is told here as soon as one port was found,
 * so that programs which that program starts are left alone; before, they are kept, so that wrappers (npm,
 * sh, env) may stand in between. In programs that gain rights by being run (setuid) nothing happens. When the
 * keeper does not give the socket, the program's own bind goes on, and fails, since the port is taken.
 *
 * The socket is shared: it stays non-blocking, whatever a program sets, and a program that wants to block is
 * made to wait here. listen(2) on it does nothing: the backlog belongs to whoever opened it. While a file
 * `drain` stands in FOLDER nothing is accepted any more: a program that is about to be ended finishes what it
 * has.
 *
 * Out of its reach: programs that are linked statically or against another libc, system calls that do not go
 * through libc (io_uring, Go), copies made by dup(2) of a socket that is meant to block, and a program that
 * another image takes over by exec(3) after it has bound.
 *
 * Only system calls are used below these functions, and no symbol that glibc 2.17 did not have.
 */
#ifndef HOSTKIT_INTERPOSE_H
#define HOSTKIT_INTERPOSE_H

#include <sys/socket.h>

#include "../export.h"

#define INTERPOSE_VARIABLE "HOSTKIT_BIND"
#define INTERPOSE_OBJECT "interpose.so"
/* Descriptors below this can be a held socket. */
#define INTERPOSE_FDS 65536u
#define INTERPOSE_LIMIT_MS 2000u
/* How long accept(2) sleeps at most before it looks again whether it is to drain. */
#define INTERPOSE_LOOK_MS 200

HK_EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t bytes);
HK_EXPORT int listen(int fd, int backlog);
HK_EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict bytes);
HK_EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict bytes, int flags);
HK_EXPORT int fcntl(int fd, int command, ...);
HK_EXPORT int fcntl64(int fd, int command, ...);
HK_EXPORT int ioctl(int fd, unsigned long request, ...);

#endif
