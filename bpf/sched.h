/* Layout of sched.bpf.c's maps, shared with lib/telemetry/bpf/sched.ts. All fields are u64 unless said. */
#ifndef HOSTKIT_SCHED_H
#define HOSTKIT_SCHED_H

/* One bank of counters a CPU. */
struct sched_cpu {
	u64 user_ns;
	u64 system_ns;
	u64 exited_ns; /* whole CPU time of tasks that exited on this CPU */
	u64 migrations_from;
	u64 migrations_to;
	u64 voluntary;
	u64 involuntary;
	u64 wait_ns;
	u64 discarded;     /* samples with a clock that went backwards, or without room for their state */
	u64 tasks_dropped; /* tasks without a slot in the table of tasks */
	u64 tasks_high;    /* highest slot that this CPU gave out, plus 1 */
	u64 reserved[5];
};

struct sched_cgroup {
	u64 user_ns;
	u64 system_ns;
	u64 exited_ns;
	u64 migrations;
	u64 wait_ns;
	u64 offcpu_ns;
	u64 voluntary;
	u64 involuntary;
};

/* One task that used the CPU. `start_ns` is written last and 0 means: free. */
struct sched_task {
	u64 start_ns; /* since boot; with pid the identity of the task */
	u64 user_ns;
	u64 system_ns;
	u64 exit_ns; /* since boot; 0 while it lives */
	u32 pid;
	u32 tgid;
	u32 cgroup;
	u32 reserved;
	char comm[16];
};

/* Rows of the map `histograms`. */
enum { SCHED_RUNQUEUE_LATENCY, SCHED_RUNNING, SCHED_OFFCPU, SCHED_HISTOGRAMS };

#endif
