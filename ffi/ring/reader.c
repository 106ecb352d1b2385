/* The reading side: copy, then see whether the writer had announced to overwrite it. */
#include <errno.h>
#include <stdlib.h>

#include "copy.h"
#include "internal.h"

static uint64_t load_head(const struct ring_reader *r)
{
	return atomic_load_explicit(&r->map.header->head, memory_order_acquire);
}

int ring_open(const char *path, struct ring_reader **out, char *why)
{
	struct ring_reader *r = calloc(1, sizeof *r);
	int result;

	if (r == NULL)
		return -ENOMEM;
	result = ring_map_open(path, false, &r->map, &r->writable, why);
	if (result < 0) {
		free(r);
		return result;
	}
	r->slot = -1;
	r->epoch = atomic_load_explicit(&r->map.header->epoch, memory_order_acquire);
	ring_seek_back(r, r->map.mask + 1);
	*out = r;
	return 0;
}

uint64_t ring_seek_back(struct ring_reader *r, uint64_t backlog)
{
	struct ring_header *h = r->map.header;
	uint64_t head = load_head(r), best = head;

	if (head - r->map.first <= backlog && head - r->map.first <= r->map.mask + 1) {
		best = r->map.first;
	} else {
		for (int i = 0; i < (int)RING_SLICES; i++) {
			uint64_t mark = atomic_load_explicit(&h->marks[i], memory_order_relaxed);

			if (mark < best && head - mark <= backlog)
				best = mark;
		}
	}
	r->position = best;
	return best;
}

int ring_seek(struct ring_reader *r, uint64_t position)
{
	if (position > load_head(r) || position % 8 != 0)
		return -ERANGE;
	r->position = position;
	return 0;
}

/* Half of the data is left as a lead before the writer comes round again. */
static int64_t lapped(struct ring_reader *r)
{
	uint64_t from = r->position;

	/* A writer announces a slice at a time: the newer half is never overwritten. Where nothing newer is
	 * found the announcement is damaged, and reading would be lapped for ever. */
	if (ring_seek_back(r, (r->map.mask + 1) / 2) <= from) {
		r->position = from;
		return -EBADMSG;
	}
	r->lost_bytes += r->position - from;
	r->laps++;
	return RING_LAPPED;
}

/* The bytes of whole records at the begin of the buffer, or -EBADMSG. */
static int64_t whole_records(const uint8_t *buffer, uint64_t bytes, uint64_t slice)
{
	uint64_t at = 0;

	while (bytes - at >= RING_RECORD_HEADER) {
		uint64_t size = ring_record_bytes(record_length(buffer + at));

		if (record_kind(buffer + at) == 0 || size > slice)
			return -EBADMSG;
		if (size > bytes - at)
			break;
		at += size;
	}
	return at == 0 ? -ENOBUFS : (int64_t)at;
}

int64_t ring_read(struct ring_reader *r, uint8_t *buffer, uint64_t bytes)
{
	struct ring_header *h = r->map.header;
	uint64_t data_bytes = r->map.mask + 1, limit = data_bytes / 4;
	uint64_t epoch = atomic_load_explicit(&h->epoch, memory_order_acquire);
	uint64_t end = load_head(r), offset, n, straight;

	if ((uintptr_t)buffer % 8 != 0)
		return -EINVAL;
	if (epoch != r->epoch) {
		uint64_t begin = atomic_load_explicit(&h->epoch_start, memory_order_acquire);

		if (r->position >= begin || end - r->position > data_bytes) {
			r->epoch = epoch;
			return RING_RESTARTED;
		}
		end = begin < end ? begin : end;
	}
	if (end == r->position)
		return 0;
	if (end < r->position)
		return -EBADMSG;
	if (end - r->position > data_bytes || r->position < r->map.first)
		return lapped(r);

	/* A quarter at a time: a copy of all of the data could never be finished before a busy writer. */
	limit = bytes < limit ? bytes & ~7ull : limit;
	n = end - r->position < limit ? end - r->position : limit;
	offset = (r->position - r->map.first) & r->map.mask;
	straight = n < data_bytes - offset ? n : data_bytes - offset;
	copy_shared(buffer, r->map.data + offset, straight);
	copy_shared(buffer + straight, r->map.data, n - straight);

	/* If a copied word was stored after an announcement, this load sees that announcement (or a later
	 * one). */
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&h->reserve, memory_order_relaxed) - r->position > data_bytes)
		return lapped(r);
	if (r->position + n < end) {
		int64_t whole = whole_records(buffer, n, r->map.slice);

		if (whole < 0)
			return whole;
		n = (uint64_t)whole;
	}
	r->position += n;
	return (int64_t)n;
}

int ring_pending(struct ring_reader *r)
{
	struct ring_header *h = r->map.header;

	return load_head(r) != r->position ||
	       atomic_load_explicit(&h->epoch, memory_order_acquire) != r->epoch ||
	       atomic_load_explicit(&h->state, memory_order_acquire) != RING_LIVE;
}

uint32_t ring_reader_state(const struct ring_reader *r)
{
	return atomic_load_explicit(&r->map.header->state, memory_order_acquire);
}

uint64_t ring_reader_epoch(const struct ring_reader *r)
{
	return r->epoch;
}

uint64_t ring_reader_position(const struct ring_reader *r)
{
	return r->position;
}

uint64_t ring_reader_slice(const struct ring_reader *r)
{
	return r->map.slice;
}

void ring_reader_status(struct ring_reader *r, struct ring_status *out)
{
	struct ring_header *h = r->map.header;

	/* The state first: a writer that closes has committed before. */
	out->state = atomic_load_explicit(&h->state, memory_order_acquire);
	out->position = r->position;
	out->head = load_head(r);
	out->reserve = atomic_load_explicit(&h->reserve, memory_order_relaxed);
	out->epoch = atomic_load(&h->epoch);
	out->pid = atomic_load(&h->pid);
	out->alive = ring_process_lives((uint32_t)out->pid, atomic_load(&h->start), atomic_load(&h->boot_id));
	out->heartbeat_ns = atomic_load(&h->heartbeat_ns);
	out->lost_bytes = r->lost_bytes;
	out->laps = r->laps;
	out->child_state = atomic_load_explicit(&h->child.state, memory_order_acquire);
	out->child_pid = h->child.pid;
	out->child_start = h->child.start;
	out->child_wait_status = (uint64_t)(int64_t)h->child.wait_status;
	out->child_exit_ns = h->child.exit_ns;
	out->dropped_bytes = atomic_load(&h->child.dropped_bytes);
}

void ring_reader_free(struct ring_reader *r)
{
	if (r == NULL)
		return;
	ring_map_close(&r->map);
	free(r);
}
