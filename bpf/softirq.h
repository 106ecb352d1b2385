/* Layout of softirq.bpf.c's map, shared with lib/telemetry/bpf/softirq.ts. */
#ifndef HOSTKIT_SOFTIRQ_H
#define HOSTKIT_SOFTIRQ_H

/* include/linux/interrupt.h: hi, timer, net_tx, net_rx, block, irq_poll, tasklet, sched, hrtimer, rcu. */
#define SOFTIRQ_KINDS 10

struct softirq_cpu {
	u64 count[SOFTIRQ_KINDS];
	u64 time_ns[SOFTIRQ_KINDS];
	u64 started_at; /* softirqs of one CPU do not nest */
	u64 reserved[3];
};

#endif
