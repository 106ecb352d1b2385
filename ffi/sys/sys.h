/*
 * System calls that TypeScript cannot make itself. Nothing is allocated but file descriptors, which sys_close
 * takes back. Functions return 0 or a value, and -errno on failure; any thread may call them. Only
 * sys_pidfd_wait blocks. Where a `pid` is asked for, 0 means the calling thread (priority, scheduling,
 * affinity are per thread in Linux).
 */
#ifndef HOSTKIT_SYS_H
#define HOSTKIT_SYS_H

#include "../export.h"

enum sys_clock { SYS_REALTIME = 0, SYS_MONOTONIC = 1, SYS_BOOTTIME = 2 };
enum sys_config { SYS_CLOCK_TICKS = 0, SYS_PAGE_BYTES = 1, SYS_POSSIBLE_CPUS = 2, SYS_ONLINE_CPUS = 3 };
enum sys_who { SYS_SELF = 0, SYS_CHILDREN = 1, SYS_THREAD = 2 };
enum sys_policy { SYS_NORMAL = 0, SYS_FIFO = 1, SYS_ROUND_ROBIN = 2 };

/* The longest wait that sys_pidfd_wait grants: it holds a thread that file reads share. */
#define SYS_WAIT_MAX_MS 1000
/* CPUs that an affinity mask of this interface can name. */
#define SYS_CPUS_MAX 4096u
#define SYS_USAGE_WORDS 9u

/* Nanoseconds of a clock. */
HK_EXPORT int64_t sys_clock_ns(uint32_t clock);
/* getrusage(2) into 9 words: user ns, system ns, largest RSS in bytes, minor and major faults, blocks read
 * and written (of 512 bytes), voluntary and involuntary context switches. */
HK_EXPORT int sys_usage(uint32_t who, int64_t *words);
HK_EXPORT int64_t sys_config(uint32_t name);

/* A descriptor that stands for a process for good, also when its pid is used again. */
HK_EXPORT int sys_pidfd_open(int32_t pid);
HK_EXPORT int sys_pidfd_signal(int32_t pidfd, int32_t number);
/* Takes the status of a child that has ended, so that nothing is left of it: 1, or 0 when it still runs or is
 * no child of this process. */
HK_EXPORT int sys_reap(int32_t pid);
/* Waits until the process has ended, at most SYS_WAIT_MAX_MS. Blocks. 1 when it has ended, else 0. */
HK_EXPORT int sys_pidfd_wait(int32_t pidfd, int32_t timeout_ms);
HK_EXPORT int sys_close(int32_t fd);

HK_EXPORT int sys_nice_get(int32_t pid, int32_t *nice);
HK_EXPORT int sys_nice_set(int32_t pid, int32_t nice);
/* `priority` is 1-99 for the two real-time policies, 0 for SYS_NORMAL. */
HK_EXPORT int sys_policy_set(int32_t pid, uint32_t policy, int32_t priority);
/* Returns the policy; -EOPNOTSUPP for one that is not of enum sys_policy. */
HK_EXPORT int sys_policy_get(int32_t pid, int32_t *priority);
/* Masks of SYS_CPUS_MAX bits. */
HK_EXPORT int sys_affinity_get(int32_t pid, uint8_t *mask);
HK_EXPORT int sys_affinity_set(int32_t pid, const uint8_t *mask);

/* Signal that the calling thread's process gets when its parent ends; 0 for none (prctl(2),
 * PR_SET_PDEATHSIG). */
HK_EXPORT int sys_parent_death_signal(int32_t number);
/* Name of the calling thread, at most 15 bytes of it. */
HK_EXPORT int sys_thread_name(const char *name);
/* Sets the mask of permissions that new files do not get; returns the one before. */
HK_EXPORT int sys_umask(uint32_t mask);
/* What is written to standard error from now on is appended to a file, which is made for its user where there
 * is none. */
HK_EXPORT int sys_error_to(const char *path);
/* From now on SIGHUP, SIGINT and SIGTERM to this process wait for the calling thread, which has them blocked,
 * until it becomes another program by sys_exec. */
HK_EXPORT int sys_hold_signals(void);
/* Becomes another program, with this process's pid, environment and children. `words` are program and
 * arguments, each with its NUL, `bytes` long together. SIGHUP, SIGINT and SIGTERM, which would end a program
 * that does not listen for them yet, wait until the new one calls sys_hear_signals; `number`, one of them or
 * 0, is sent to it now. Returns only on failure. */
HK_EXPORT int sys_exec(const char *words, uint32_t bytes, int32_t number);
/* Lets those signals come to the calling thread again; what waits comes now. */
HK_EXPORT int sys_hear_signals(void);

/* From now on it is noted who sends this signal, before the handler that stands now hears of it. -EINVAL when
 * none stands. Handlers belong to the process: to be called once the runtime has its own. */
HK_EXPORT int sys_note_sender(int32_t number);
/* Whether the signal that was noted last came from a process, 1, or from the kernel, 0: keys of a terminal,
 * its end. -ENODATA when none has come. */
HK_EXPORT int sys_sent_by_process(int32_t number);
/* Has the kernel drop a signal; programs that are started from now on inherit that. */
HK_EXPORT int sys_ignore(int32_t number);
/* Ends this process by a signal, as if there were no handler, and without a core. Returns 0 when the signal
 * does not end anything. */
HK_EXPORT int sys_end_by(int32_t number);

#endif
