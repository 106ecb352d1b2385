/*
 * Memory that other programs take for the kernel's tasks: only tests load it. `describe` tells where the
 * memory lies in the kernel and where the members stand in it, so that user space can write tasks of its own.
 */
#include "../../bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define MAX_FAKES 4
#define FAKE_BYTES 32768

struct fake {
	char bytes[FAKE_BYTES];
};

/* Offsets, in the order of FIELDS in fake_tasks.ts. */
struct members {
	u64 pid, tgid, start_boottime, utime, stime, runtime, state, comm, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_FAKES);
	__type(key, u32);
	__type(value, struct fake);
} fakes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_FAKES);
	__type(key, u32);
	__type(value, u64);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct members);
} members SEC(".maps");

SEC("raw_tp/sys_enter")
int describe(u64 *ctx)
{
	u32 first = 0;
	struct members *at = bpf_map_lookup_elem(&members, &first);

	for (u32 i = 0; i < MAX_FAKES; i++) {
		u32 index = i;
		void *fake = bpf_map_lookup_elem(&fakes, &index);
		u64 *address = bpf_map_lookup_elem(&addresses, &index);

		if (fake && address)
			*address = (u64)fake;
	}
	if (!at)
		return 0;
	at->pid = bpf_core_field_offset(struct task_struct, pid);
	at->tgid = bpf_core_field_offset(struct task_struct, tgid);
	at->start_boottime = bpf_core_field_offset(struct task_struct, start_boottime);
	at->utime = bpf_core_field_offset(struct task_struct, utime);
	at->stime = bpf_core_field_offset(struct task_struct, stime);
	at->runtime = bpf_core_field_offset(struct task_struct, se.sum_exec_runtime);
	at->state = bpf_core_field_exists(struct task_struct, __state)
	                ? bpf_core_field_offset(struct task_struct, __state)
	                : bpf_core_field_offset(struct task_struct___before_rename, state);
	at->comm = bpf_core_field_offset(struct task_struct, comm);
	at->bytes = bpf_core_type_size(struct task_struct);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
