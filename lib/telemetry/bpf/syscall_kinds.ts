/**
 * Which system call is of which kind: a judgement by name, as upstream groups them, with the newer relatives of each
 * call in the kind of the older ones. What no kind names is `other`.
 * @module
 */
import type { BpfObject } from "../../../ffi/bpf/mod.ts";
import { SYSCALL_NUMBERS } from "./syscall_numbers_generated.ts";

/** Kinds of system calls in upstream's order; calls of no kind are `other`. */
export const SYSCALL_KINDS = [
  "other",
  "read",
  "write",
  "poll",
  "lock",
  "time",
  "sleep",
  "socket",
  "yield",
  "filesystem",
  "memory",
  "process",
  "query",
  "ipc",
  "timer",
  "event",
] as const;

type Kind = typeof SYSCALL_KINDS[number];

const NAMES: Readonly<Record<Exclude<Kind, "other">, string>> = {
  read: "read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg",
  write: "write writev pwrite64 pwritev pwritev2 sendto sendmsg sendmmsg",
  poll:
    "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old " +
    "epoll_pwait epoll_pwait2",
  lock: "futex futex_waitv futex_wait futex_wake futex_requeue",
  time: "adjtimex clock_adjtime clock_getres clock_gettime clock_settime gettimeofday settimeofday time",
  sleep: "nanosleep clock_nanosleep",
  socket:
    "socket socketpair bind listen accept accept4 connect getpeername getsockname getsockopt setsockopt shutdown",
  yield: "sched_yield",
  filesystem:
    "open openat openat2 close close_range creat lseek fsync fdatasync sync syncfs sync_file_range truncate " +
    "ftruncate fallocate rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat readlink readlinkat " +
    "stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 " +
    "chown fchown lchown fchownat utime utimes utimensat futimesat mkdir mkdirat rmdir mknod mknodat chdir fchdir " +
    "getcwd getdents getdents64 readdir",
  memory:
    "mmap munmap mprotect mremap madvise process_madvise msync mincore mlock mlock2 munlock mlockall munlockall " +
    "brk",
  process:
    "clone clone3 fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill ptrace prctl " +
    "pidfd_open pidfd_send_signal setpgid getpgid setpriority getpriority sched_setaffinity sched_getaffinity " +
    "sched_setscheduler sched_getscheduler sched_setparam sched_getparam sched_setattr sched_getattr",
  query:
    "getrusage getrlimit setrlimit prlimit64 times getpid getppid getuid geteuid getgid getegid gettid uname " +
    "sysinfo getcpu",
  ipc:
    "pipe pipe2 msgget msgsnd msgrcv msgctl semget semop semtimedop semctl shmget shmat shmdt shmctl mq_open " +
    "mq_unlink mq_timedreceive mq_timedsend mq_notify mq_getsetattr",
  timer: "alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_settime " +
    "timerfd_create timerfd_gettime timerfd_settime",
  event:
    "eventfd eventfd2 signalfd signalfd4 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch " +
    "fanotify_init fanotify_mark io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_uring_setup " +
    "io_uring_enter io_uring_register",
};

/** `SYSCALL_NUMBERS` of the program: calls with a number beyond are `other`. */
const TABLE_SIZE = 1024;

/** The kind of a call by its name. */
export function syscallKind(name: string): Kind {
  return KIND_OF.get(name) ?? "other";
}

/** Index into `SYSCALL_KINDS` by system call number of an architecture. */
export function syscallTable(arch: keyof typeof SYSCALL_NUMBERS): Uint8Array {
  const table = new Uint8Array(TABLE_SIZE);
  for (const [name, number] of Object.entries(SYSCALL_NUMBERS[arch])) {
    if (number < TABLE_SIZE) table[number] = SYSCALL_KINDS.indexOf(syscallKind(name));
  }
  return table;
}

/** Tells the program the kinds of this machine's calls; without it all are `other`. */
export function fillSyscallKinds(object: BpfObject): void {
  const memory = object.map("kinds", { writable: true });
  const bytes = new Uint8Array(memory.memory!);
  syscallTable(Deno.build.arch).forEach((kind, number) => bytes[number * memory.valueBytes] = kind);
}

const KIND_OF = new Map(
  Object.entries(NAMES).flatMap(([kind, names]) =>
    names.split(" ").map((name) => [name, kind as Kind] as const)
  ),
);
