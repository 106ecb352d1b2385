/*
 * Block I/O: latency from issue to completion, operations, bytes, sizes, errors, requeues.
 *
 * The start of a request lies in a hash by its address: a request has no storage of its own, and the kernel's
 * own stamp (rq->io_start_time_ns) exists only while a queue keeps statistics. An entry is overwritten when a
 * request is issued again and deleted at completion; the size bounds requests in flight.
 */
#include "common/core.bpf.h"
#include "blockio.h"

#include <bpf/bpf_tracing.h>

#define MAX_IN_FLIGHT 8192

const volatile bool time_requests = true;
const volatile bool count_requests = true;
/* Whether block_rq_* have the queue before the request. */
const volatile bool queue_first = false;

MAPPED(cpus, struct blockio_counters, 1);
MAPPED(latency, struct histogram, BLOCKIO_OPS);
MAPPED(sizes, struct histogram, BLOCKIO_OPS);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_IN_FLIGHT);
	__type(key, u64);
	__type(value, u64);
} starts SEC(".maps");

/* include/linux/blk_types.h: the operation is the low byte; 0 read, 1 write, 2 flush, 3 discard. */
ALWAYS_INLINE u32 op_of(struct request *request)
{
	return BPF_CORE_READ(request, cmd_flags) & 0xff;
}

ALWAYS_INLINE int on_start(struct request *request)
{
	struct blockio_counters *counters;
	u64 key = (u64)request, now = bpf_ktime_get_ns();

	if (!time_requests || !bpf_map_update_elem(&starts, &key, &now, BPF_ANY))
		return 0;
	counters = of_this_cpu(&cpus);
	if (counters)
		ADD(&counters->starts_dropped, 1);
	return 0;
}

/* Linux 5.16 reports a blk_status_t, older kernels a negative errno. */
ALWAYS_INLINE u32 error_class(int error)
{
	if (error > 0) {
		switch (error & 0xff) {
		case 10: /* BLK_STS_IOERR */
		case 7:  /* BLK_STS_MEDIUM */
			return BLOCKIO_ERROR_IO;
		case 2: /* BLK_STS_TIMEOUT */
			return BLOCKIO_ERROR_TIMEOUT;
		case 3: /* BLK_STS_NOSPC */
			return BLOCKIO_ERROR_NOSPC;
		case 5: /* BLK_STS_TARGET */
			return BLOCKIO_ERROR_TARGET;
		case 8: /* BLK_STS_PROTECTION */
			return BLOCKIO_ERROR_PROTECTION;
		case 1: /* BLK_STS_NOTSUPP */
			return BLOCKIO_ERROR_UNSUPPORTED;
		}
		return BLOCKIO_ERROR_OTHER;
	}
	switch (-error) {
	case 5:  /* EIO */
	case 61: /* ENODATA */
		return BLOCKIO_ERROR_IO;
	case 110: /* ETIMEDOUT */
		return BLOCKIO_ERROR_TIMEOUT;
	case 28: /* ENOSPC */
		return BLOCKIO_ERROR_NOSPC;
	case 121: /* EREMOTEIO */
		return BLOCKIO_ERROR_TARGET;
	case 84: /* EILSEQ */
		return BLOCKIO_ERROR_PROTECTION;
	case 95: /* EOPNOTSUPP */
		return BLOCKIO_ERROR_UNSUPPORTED;
	}
	return BLOCKIO_ERROR_OTHER;
}

ALWAYS_INLINE int on_complete(struct request *request, int error, u32 bytes)
{
	u64 key = (u64)request, now = bpf_ktime_get_ns();
	u32 op = op_of(request);
	struct blockio_counters *counters = of_this_cpu(&cpus);
	u64 *start;

	start = bpf_map_lookup_elem(&starts, &key);
	if (start) {
		if (op < BLOCKIO_OPS && *start <= now)
			histogram_add(&latency, op, now - *start);
		bpf_map_delete_elem(&starts, &key);
	}
	/* A write with a flush completes once more, without bytes, when its flush is done
	 * (block/blk-flush.c). */
	if (!counters || !count_requests || op >= BLOCKIO_OPS || (!bytes && !error && op != BLOCKIO_FLUSH))
		return 0;
	ADD(&counters->operations[op], 1);
	ADD(&counters->bytes[op], bytes);
	histogram_add(&sizes, op, bytes);
	if (error) {
		u32 class = op * BLOCKIO_ERRORS + error_class(error);

		if (class < BLOCKIO_OPS * BLOCKIO_ERRORS)
			ADD(&counters->errors[class], 1);
	}
	return 0;
}

ALWAYS_INLINE int on_requeue(struct request *request)
{
	struct blockio_counters *counters = of_this_cpu(&cpus);
	u32 op = op_of(request);

	if (counters && count_requests && op < BLOCKIO_OPS)
		ADD(&counters->requeues[op], 1);
	return 0;
}

/*
 * (request), or (queue, request) on old kernels. The barriers keep the compiler from choosing an
 * address first and loading from it then, which the verifier refuses: a context is read at constant offsets.
 */
ALWAYS_INLINE struct request *request_of(const u64 *ctx)
{
	u64 request;

	if (queue_first) {
		request = ctx[1];
		barrier_var(request);
	} else {
		request = ctx[0];
		barrier_var(request);
	}
	return (struct request *)request;
}

HOOK(block_rq_insert, on_start(request_of(ctx)))
HOOK(block_rq_issue, on_start(request_of(ctx)))
HOOK(block_rq_requeue, on_requeue(request_of(ctx)))
HOOK(block_rq_complete, on_complete((struct request *)ctx[0], (int)ctx[1], (u32)ctx[2]))

char LICENSE[] SEC("license") = "Dual MIT/GPL";
