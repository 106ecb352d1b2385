/* The smallest object with one of everything that the shim offers; only tests load it. */
#include "../../bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

const volatile u64 step = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} hits SEC(".maps");

SEC("raw_tp/sys_enter")
int count(u64 *ctx)
{
	u32 slot = 0;
	u64 *hit = bpf_map_lookup_elem(&hits, &slot);

	if (hit)
		__sync_fetch_and_add(hit, step);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
