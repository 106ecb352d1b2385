/* Softirqs by CPU and kind: how many handlers ran and for how long. */
#include "common/core.bpf.h"
#include "softirq.h"

#include <bpf/bpf_tracing.h>

MAPPED(cpus, struct softirq_cpu, 1);

ALWAYS_INLINE int on_entry(u64 kind)
{
	struct softirq_cpu *cpu = of_this_cpu(&cpus);

	if (!cpu || kind >= SOFTIRQ_KINDS)
		return 0;
	cpu->count[kind]++;
	cpu->started_at = bpf_ktime_get_ns();
	return 0;
}

ALWAYS_INLINE int on_end(u64 kind)
{
	struct softirq_cpu *cpu = of_this_cpu(&cpus);
	u64 now = bpf_ktime_get_ns();

	if (!cpu || kind >= SOFTIRQ_KINDS || !cpu->started_at)
		return 0;
	if (cpu->started_at <= now)
		cpu->time_ns[kind] += now - cpu->started_at;
	cpu->started_at = 0;
	return 0;
}

HOOK(softirq_entry, on_entry(ctx[0] & 0xffffffff))
HOOK(softirq_exit, on_end(ctx[0] & 0xffffffff))

char LICENSE[] SEC("license") = "Dual MIT/GPL";
