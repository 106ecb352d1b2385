/*
 * What all programs share: helpers, maps that user space reads in place, and H2 bucket indices.
 *
 * A measurement lives in an ARRAY that user space maps: no system call is needed to read it. Counters per CPU
 * lie in banks, one cache line or more a CPU. Histograms are sharded over CPUs, so that hot ones do not share
 * cache lines.
 */
#ifndef HOSTKIT_CORE_BPF_H
#define HOSTKIT_CORE_BPF_H

#include "../vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Shards of a histogram less one; a power of two less one. */
const volatile u32 shard_mask = 0;

/* H2 with grouping power 3 and maximum power 64 (lib/metrics). */
#define H2_GROUPING_POWER 3
#define H2_BUCKETS 496

#define ALWAYS_INLINE static __attribute__((always_inline)) inline

/* `count` entries of `value_type` that user space maps; user space may resize it before load. */
#define MAPPED(map, value_type, count)                                                                       \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__uint(map_flags, BPF_F_MMAPABLE);                                                           \
		__uint(max_entries, count);                                                                  \
		__type(key, u32);                                                                            \
		__type(value, value_type);                                                                   \
	} map SEC(".maps")

/* One shard of a histogram. */
struct histogram {
	u64 buckets[H2_BUCKETS];
};

/*
 * Reads a member of a structure of the kernel: with BTF-typed pointers a plain load, otherwise a helper call.
 * `typed` is a constant in each program, so that only one of the two remains.
 */
#define GET(typed, pointer, member) ((typed) ? (pointer)->member : BPF_CORE_READ(pointer, member))

/* Atomic, since an interrupt may run the same program in the middle of an addition. */
#define ADD(pointer, amount) __sync_fetch_and_add(pointer, amount)

/* Floor of the binary logarithm; 0 for 0. Five comparisons: BPF has no instruction for it. */
ALWAYS_INLINE u32 log2_floor(u64 value)
{
	u32 log = 0;

	if (value >> 32) {
		value >>= 32;
		log = 32;
	}
	if (value >> 16) {
		value >>= 16;
		log += 16;
	}
	if (value >> 8) {
		value >>= 8;
		log += 8;
	}
	if (value >> 4) {
		value >>= 4;
		log += 4;
	}
	if (value >> 2) {
		value >>= 2;
		log += 2;
	}
	return log + (value >> 1 ? 1 : 0);
}

/* Bucket of a value, exact for all 64 bits. */
ALWAYS_INLINE u32 h2_index(u64 value)
{
	u32 log, offset;

	if (value < 2 << H2_GROUPING_POWER)
		return (u32)value;
	log = log2_floor(value);
	offset = (u32)((value - (1ULL << (log & 63))) >> ((log - H2_GROUPING_POWER) & 63));
	return ((log - H2_GROUPING_POWER + 1) << H2_GROUPING_POWER) + offset;
}

/* The entry of this CPU in an array of one entry a CPU. */
ALWAYS_INLINE void *of_this_cpu(void *map)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(map, &cpu);
}

/*
 * The two programs of a tracepoint whose handler reads everything with helpers: they differ in their section
 * only. `call` sees the arguments as u64 in `ctx`.
 */
#define HOOK(event, call)                                                                                    \
	SEC("tp_btf/" #event) int event##__tp_btf(u64 *ctx)                                                  \
	{                                                                                                    \
		return call;                                                                                 \
	}                                                                                                    \
	SEC("raw_tp/" #event) int event##__raw_tp(u64 *ctx)                                                  \
	{                                                                                                    \
		return call;                                                                                 \
	}

/* Counts a value into the shard of this CPU. */
ALWAYS_INLINE void histogram_add(void *map, u32 row, u64 value)
{
	u32 shard = row * (shard_mask + 1) + (bpf_get_smp_processor_id() & shard_mask);
	struct histogram *histogram = bpf_map_lookup_elem(map, &shard);
	u64 bucket = h2_index(value);

	/* The bound must be checked in the very register that the access uses, all 64 bits of it: the
	 * verifier of Linux 6.1 does not carry it over from the lower half. */
	barrier_var(bucket);
	if (histogram && bucket < H2_BUCKETS)
		ADD(&histogram->buckets[bucket], 1);
}

#endif
