/*
 * System calls: how many of each kind per CPU and cgroup, and how long each kind takes. One pair of programs
 * serves syscall_counts and syscall_latency. The start of a call lies in task storage, or by pid in a bounded
 * table, whose entry a call overwrites when it begins: a reused pid cannot end a call that it did not begin.
 */
#include "common/cgroup.bpf.h"
#include "syscall.h"

#include <bpf/bpf_tracing.h>

#define MAX_TASKS 16384

const volatile bool count_calls = true;
const volatile bool time_calls = true;

MAPPED(cpus, struct syscall_counters, 1);
MAPPED(cgroup_counters, struct syscall_counters, MAX_CGROUPS);
MAPPED(latency, struct histogram, SYSCALL_KINDS);
MAPPED(kinds, u8, SYSCALL_NUMBERS);

/* A call in progress. `started_at` is 0 while the task is in user space. */
struct call {
	u64 started_at;
	u64 kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u32);
	__type(value, struct call);
} calls SEC(".maps");

ALWAYS_INLINE u32 kind_of(u64 number)
{
	u32 slot = (u32)number;
	u8 *kind;

	if (number >= SYSCALL_NUMBERS)
		return 0;
	kind = bpf_map_lookup_elem(&kinds, &slot);
	return kind ? *kind & (SYSCALL_KINDS - 1) : 0;
}

ALWAYS_INLINE void count_cgroup(bool typed, struct task_struct *task, u32 kind)
{
	struct syscall_counters *counters;
	bool reused;
	u32 id = cgroup_of_task(typed, task, &reused);

	counters = bpf_map_lookup_elem(&cgroup_counters, &id);
	if (!id || !counters)
		return;
	if (reused)
		__builtin_memset(counters, 0, sizeof(*counters));
	ADD(&counters->calls[kind], 1);
}

ALWAYS_INLINE void count(bool typed, struct task_struct *task, u32 kind)
{
	struct syscall_counters *counters = of_this_cpu(&cpus);

	if (counters)
		ADD(&counters->calls[kind], 1);
	count_cgroup(typed, task, kind);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp_btf, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 kind = kind_of((u64)number);
	struct call *call;

	if (count_calls)
		count(true, task, kind);
	if (!time_calls)
		return 0;
	call = bpf_task_storage_get(&storage, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	call->kind = kind;
	call->started_at = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/sys_enter")
int BPF_PROG(sys_enter__raw_tp, struct pt_regs *regs, long number)
{
	struct call call = {.kind = kind_of((u64)number)};
	u32 pid = (u32)bpf_get_current_pid_tgid();

	if (count_calls)
		count(false, (void *)bpf_get_current_task(), (u32)call.kind);
	if (!time_calls)
		return 0;
	call.started_at = bpf_ktime_get_ns();
	bpf_map_update_elem(&calls, &pid, &call, BPF_ANY);
	return 0;
}

ALWAYS_INLINE void end(struct call *call)
{
	u64 now = bpf_ktime_get_ns();

	if (!call || !call->started_at)
		return;
	if (call->started_at <= now)
		histogram_add(&latency, (u32)call->kind & (SYSCALL_KINDS - 1), now - call->started_at);
	call->started_at = 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit__tp_btf, struct pt_regs *regs, long result)
{
	end(bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0, 0));
	return 0;
}

SEC("raw_tp/sys_exit")
int BPF_PROG(sys_exit__raw_tp, struct pt_regs *regs, long result)
{
	u32 pid = (u32)bpf_get_current_pid_tgid();

	end(bpf_map_lookup_elem(&calls, &pid));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
