/*
 * The scheduler: CPU time per CPU, cgroup and task, migrations, run queue latency. One program on
 * sched_switch serves the three samplers cpu_usage, cpu_migrations and scheduler_runqueue.
 *
 * CPU time is the scheduler's own exact account (sum_exec_runtime), split into user and system by the task's
 * sampled utime and stime, as the kernel does for /proc/PID/stat (kernel/sched/cputime.c, cputime_adjust). A
 * task that runs without a switch is accounted when user space runs `flush` on its CPU before it reads.
 *
 * State of a task lives in task storage (Linux 5.11), which dies with the task; the raw_tp twins, for kernels
 * without it, keep it in a bounded table keyed by pid and checked by start time. So a reused pid never
 * inherits a time stamp.
 */
#include "common/cgroup.bpf.h"
#include "sched.h"

#include <bpf/bpf_tracing.h>

/* Tasks with a slot; beyond, time still counts for CPU and cgroup. User space knows the number too
 * (lib/telemetry/bpf/sched.ts): it fills `free_tasks`. */
#define MAX_TASKS 16384

const volatile bool count_usage = true;
const volatile bool count_migrations = true;
const volatile bool count_runqueue = true;

MAPPED(cpus, struct sched_cpu, 1);
MAPPED(histograms, struct histogram, SCHED_HISTOGRAMS);
MAPPED(cgroup_counters, struct sched_cgroup, MAX_CGROUPS);
MAPPED(tasks, struct sched_task, MAX_TASKS);

/*
 * Free slots of `tasks`, the lowest on top, so that those in use stay together. User space fills it, and
 * returns a slot when the exit of its task was reported.
 */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, MAX_TASKS);
	__type(value, u32);
} free_tasks SEC(".maps");

/* What is remembered of a task between two events. */
struct task_state {
	u64 start_ns; /* of the task; tells a reused pid in `states` */
	u64 user_ns;  /* CPU time up to the last account */
	u64 system_ns;
	u64 queued_at;  /* 0: not waiting */
	u64 blocked_at; /* 0: not blocked */
	u64 running_at; /* 0: not running */
	u64 exited_ns;  /* of its CPU time, what is counted as of an exited task */
	u32 cpu;        /* where it ran last, plus 1 */
	u32 slot;       /* in `tasks`, plus 1 */
	u32 comm_stale;
	u32 seen; /* user_ns and system_ns hold a base */
	u32 exiting;
	u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u32);
	__type(value, struct task_state);
} states SEC(".maps");

ALWAYS_INLINE struct task_state *state_in_table(struct task_struct *task)
{
	static const struct task_state empty;
	u32 pid = (u32)BPF_CORE_READ(task, pid);
	u64 start = BPF_CORE_READ(task, start_boottime);
	struct task_state *state = bpf_map_lookup_elem(&states, &pid);

	if (state && state->start_ns == start)
		return state;
	bpf_map_update_elem(&states, &pid, &empty, BPF_ANY);
	state = bpf_map_lookup_elem(&states, &pid);
	if (state)
		state->start_ns = start;
	return state;
}

#define STATE(typed, task)                                                                                   \
	((typed) ? bpf_task_storage_get(&storage, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE)                   \
	         : state_in_table(task))

/* Counters of the task's cgroup, cleared when its id was given to another one; NULL when it has none. */
ALWAYS_INLINE struct sched_cgroup *cgroup_of(bool typed, struct task_struct *task, u32 *id_out)
{
	struct sched_cgroup *counters;
	bool reused;
	u32 id = cgroup_of_task(typed, task, &reused);

	*id_out = id;
	if (!id)
		return 0;
	counters = bpf_map_lookup_elem(&cgroup_counters, &id);
	if (counters && reused)
		__builtin_memset(counters, 0, sizeof(*counters));
	return counters;
}

/* Share of `system` in `total`, of `runtime`: 24 bits of precision, and no step overflows. */
ALWAYS_INLINE u64 scale(u64 runtime, u64 system, u64 total)
{
	u64 ratio;

	if (total >> 39) {
		u32 shift = log2_floor(total) - 38;

		system >>= shift & 63;
		total >>= shift & 63;
	}
	if (!total)
		return 0;
	ratio = (system << 24) / total;
	return (runtime >> 24) * ratio + (((runtime & 0xffffff) * ratio) >> 24);
}

/* Writes the task's totals where user space reads them; takes a free slot at the first time. */
ALWAYS_INLINE void publish(
    bool typed, struct task_struct *task, struct task_state *state, struct sched_cpu *cpu, u32 cgroup)
{
	struct sched_task *slot;
	u32 index;

	if (!state->slot) {
		if (bpf_map_pop_elem(&free_tasks, &index)) {
			ADD(&cpu->tasks_dropped, 1);
			return;
		}
		state->slot = index + 1;
		if (cpu->tasks_high < state->slot)
			cpu->tasks_high = state->slot;
		state->comm_stale = 1;
	}
	index = state->slot - 1;
	slot = bpf_map_lookup_elem(&tasks, &index);
	if (!slot)
		return;
	/* User space takes the slot back at the exit: a task that is long in leaving does not write into the
	 * next one's. */
	if (!state->comm_stale && slot->pid != (u32)GET(typed, task, pid))
		return;
	slot->user_ns = state->user_ns;
	slot->system_ns = state->system_ns;
	slot->cgroup = cgroup;
	if (state->comm_stale) {
		state->comm_stale = 0;
		/* A task that lives for one time slice gets its slot at its last switch, when its exit was
		 * already seen. */
		slot->exit_ns = state->exiting ? bpf_ktime_get_ns() : 0;
		slot->pid = (u32)GET(typed, task, pid);
		slot->tgid = (u32)GET(typed, task, tgid);
		bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), task->comm);
		slot->start_ns = GET(typed, task, start_boottime);
	}
}

/* Accounts what the task ran since the last account. */
ALWAYS_INLINE void account(bool typed, struct task_struct *task, struct task_state *state,
    struct sched_cpu *cpu, struct sched_cgroup *cgroup, u32 cgroup_id)
{
	u64 runtime = GET(typed, task, se.sum_exec_runtime);
	u64 utime = GET(typed, task, utime);
	u64 stime = GET(typed, task, stime);
	u64 system, user;

	if (!stime)
		system = 0;
	else if (!utime)
		system = runtime;
	else
		system = scale(runtime, stime, utime + stime);
	/* Neither part may shrink when the sampled ratio moves, as in the kernel. */
	if (system < state->system_ns)
		system = state->system_ns;
	if (system > runtime)
		system = runtime;
	user = runtime - system;
	if (user < state->user_ns) {
		user = state->user_ns;
		system = runtime > user ? runtime - user : 0;
		if (system < state->system_ns)
			system = state->system_ns;
	}
	/* What a task used before we were loaded is its own total, but not time of this CPU since. */
	if (state->seen) {
		u64 user_delta = user - state->user_ns, system_delta = system - state->system_ns;

		ADD(&cpu->user_ns, user_delta);
		ADD(&cpu->system_ns, system_delta);
		if (cgroup) {
			ADD(&cgroup->user_ns, user_delta);
			ADD(&cgroup->system_ns, system_delta);
		}
	}
	state->seen = 1;
	state->user_ns = user;
	state->system_ns = system;
	if (state->exiting) {
		u64 total = user + system;

		ADD(&cpu->exited_ns, total - state->exited_ns);
		if (cgroup)
			ADD(&cgroup->exited_ns, total - state->exited_ns);
		state->exited_ns = total;
	}
	if (runtime)
		publish(typed, task, state, cpu, cgroup_id);
}

ALWAYS_INLINE int wakeup(bool typed, struct task_struct *task, bool new)
{
	struct task_state *state = STATE(typed, task);

	if (!state)
		return 0;
	if (new)
		state->seen = 1; /* its whole time is ours to account */
	if (count_runqueue)
		state->queued_at = bpf_ktime_get_ns();
	return 0;
}

ALWAYS_INLINE bool is_runnable(bool typed, bool preempt, struct task_struct *task)
{
	struct task_struct___before_rename *old = (void *)task;

	if (preempt)
		return true;
	if (bpf_core_field_exists(task->__state))
		return GET(typed, task, __state) == 0;
	return BPF_CORE_READ(old, state) == 0;
}

ALWAYS_INLINE void switch_out(
    bool typed, bool preempt, struct task_struct *task, struct sched_cpu *cpu, u64 now)
{
	struct task_state *state = STATE(typed, task);
	struct sched_cgroup *cgroup;
	u32 cgroup_id;

	cgroup = cgroup_of(typed, task, &cgroup_id);
	if (!state) {
		ADD(&cpu->discarded, 1);
		return;
	}
	if (count_usage)
		account(typed, task, state, cpu, cgroup, cgroup_id);
	if (!count_runqueue)
		return;
	if (state->running_at && state->running_at <= now)
		histogram_add(&histograms, SCHED_RUNNING, now - state->running_at);
	state->running_at = 0;
	if (is_runnable(typed, preempt, task)) {
		ADD(&cpu->involuntary, 1);
		if (cgroup)
			ADD(&cgroup->involuntary, 1);
		state->queued_at = now;
		state->blocked_at = 0;
	} else {
		ADD(&cpu->voluntary, 1);
		if (cgroup)
			ADD(&cgroup->voluntary, 1);
		/* It waits for nothing now: who wakes it holds off until it has left the CPU
		 * (try_to_wake_up). What is left in queued_at would count its whole sleep as a wait. */
		state->queued_at = 0;
		state->blocked_at = now;
	}
}

ALWAYS_INLINE void migrate(struct task_state *state, struct sched_cpu *cpu, struct sched_cgroup *cgroup)
{
	u32 here = bpf_get_smp_processor_id() + 1;
	u32 from = state->cpu - 1;
	struct sched_cpu *there;

	if (state->cpu != here && state->cpu) {
		there = bpf_map_lookup_elem(&cpus, &from);
		if (there)
			ADD(&there->migrations_from, 1);
		ADD(&cpu->migrations_to, 1);
		if (cgroup)
			ADD(&cgroup->migrations, 1);
	}
	state->cpu = here;
}

ALWAYS_INLINE void switch_in(bool typed, struct task_struct *task, struct sched_cpu *cpu, u64 now)
{
	struct task_state *state = STATE(typed, task);
	struct sched_cgroup *cgroup;
	u32 cgroup_id;
	u64 wait, blocked;

	if (!state) {
		ADD(&cpu->discarded, 1);
		return;
	}
	cgroup = cgroup_of(typed, task, &cgroup_id);
	if (count_migrations)
		migrate(state, cpu, cgroup);
	if (!count_runqueue)
		return;
	state->running_at = now;
	if (!state->queued_at)
		return;
	if (state->queued_at > now) {
		ADD(&cpu->discarded, 1);
		state->queued_at = 0;
		return;
	}
	wait = now - state->queued_at;
	histogram_add(&histograms, SCHED_RUNQUEUE_LATENCY, wait);
	ADD(&cpu->wait_ns, wait);
	if (cgroup)
		ADD(&cgroup->wait_ns, wait);
	if (state->blocked_at && state->blocked_at < state->queued_at) {
		blocked = state->queued_at - state->blocked_at;
		histogram_add(&histograms, SCHED_OFFCPU, blocked);
		if (cgroup)
			ADD(&cgroup->offcpu_ns, blocked);
	}
	state->queued_at = 0;
	state->blocked_at = 0;
}

ALWAYS_INLINE int on_switch(bool typed, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct sched_cpu *cpu = of_this_cpu(&cpus);
	u64 now = bpf_ktime_get_ns();

	if (!cpu)
		return 0;
	/* pid 0 is the idle task of the CPU. */
	if (GET(typed, prev, pid))
		switch_out(typed, preempt, prev, cpu, now);
	if (GET(typed, next, pid))
		switch_in(typed, next, cpu, now);
	return 0;
}

/* The task still runs until its last switch, which accounts the rest. */
ALWAYS_INLINE int on_exit(bool typed, struct task_struct *task)
{
	struct task_state *state = STATE(typed, task);
	struct sched_task *slot;
	u32 index;

	if (!state)
		return 0;
	state->exiting = 1;
	index = state->slot - 1;
	slot = bpf_map_lookup_elem(&tasks, &index);
	if (!state->slot || !slot)
		return 0;
	if (state->comm_stale)
		bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), task->comm);
	state->comm_stale = 0;
	slot->exit_ns = bpf_ktime_get_ns();
	return 0;
}

ALWAYS_INLINE int on_rename(bool typed, struct task_struct *task)
{
	struct task_state *state = STATE(typed, task);

	if (state)
		state->comm_stale = 1;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch__tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(true, preempt, prev, next);
}

SEC("raw_tp/sched_switch")
int BPF_PROG(sched_switch__raw_tp, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(false, preempt, prev, next);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup__tp_btf, struct task_struct *task)
{
	return wakeup(true, task, false);
}

SEC("raw_tp/sched_wakeup")
int BPF_PROG(sched_wakeup__raw_tp, struct task_struct *task)
{
	return wakeup(false, task, false);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new__tp_btf, struct task_struct *task)
{
	return wakeup(true, task, true);
}

SEC("raw_tp/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new__raw_tp, struct task_struct *task)
{
	return wakeup(false, task, true);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit__tp_btf, struct task_struct *task)
{
	return on_exit(true, task);
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(sched_process_exit__raw_tp, struct task_struct *task)
{
	return on_exit(false, task);
}

SEC("tp_btf/task_rename")
int BPF_PROG(task_rename__tp_btf, struct task_struct *task)
{
	return on_rename(true, task);
}

SEC("raw_tp/task_rename")
int BPF_PROG(task_rename__raw_tp, struct task_struct *task)
{
	return on_rename(false, task);
}

/* Not attached: user space runs it on a CPU to account the task that runs there right now. */
SEC("raw_tp/sched_switch")
int flush(u64 *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sched_cpu *cpu = of_this_cpu(&cpus);
	struct sched_cgroup *cgroup;
	struct task_state *state;
	u32 cgroup_id;

	if (!cpu || !BPF_CORE_READ(task, pid))
		return 0;
	state = state_in_table(task);
	if (!state)
		return 0;
	cgroup = cgroup_of(false, task, &cgroup_id);
	account(false, task, state, cpu, cgroup, cgroup_id);
	return 0;
}

/* The same with task storage. */
SEC("raw_tp/sched_switch")
int flush__storage(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sched_cpu *cpu = of_this_cpu(&cpus);
	struct sched_cgroup *cgroup;
	struct task_state *state;
	u32 cgroup_id;

	if (!cpu || !task->pid)
		return 0;
	state = bpf_task_storage_get(&storage, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!state)
		return 0;
	cgroup = cgroup_of(true, task, &cgroup_id);
	account(true, task, state, cpu, cgroup, cgroup_id);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
