/* Layout of syscall.bpf.c's maps, shared with lib/telemetry/bpf/syscall.ts. */
#ifndef HOSTKIT_SYSCALL_H
#define HOSTKIT_SYSCALL_H

/* Kinds of system calls; which call is of which kind is the content of the map `kinds`. */
#define SYSCALL_KINDS 16

/* Numbers beyond are counted as kind 0, "other". */
#define SYSCALL_NUMBERS 1024

struct syscall_counters {
	u64 calls[SYSCALL_KINDS];
};

#endif
