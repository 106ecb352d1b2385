/* Programs that do nothing, on the busiest hooks: what any program there costs at least. */
#include "../../bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("tp_btf/sys_enter")
int empty_sys_enter(u64 *ctx)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int empty_sys_exit(u64 *ctx)
{
	return 0;
}

SEC("tp_btf/sched_switch")
int empty_sched_switch(u64 *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
