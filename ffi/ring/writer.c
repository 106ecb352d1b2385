/* The writing side: announce, write, commit. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "copy.h"
#include "internal.h"

#define PATH_BYTES 4096

/* After this a reader that sees any later store also sees the announcement (its side: fence(acquire), load).
 */
static void announce(struct ring_writer *w, uint64_t end)
{
	struct ring_header *h = w->map.header;
	uint64_t slice = (w->head - w->map.first) / w->map.slice;

	if (slice + 1 != w->marked) {
		w->marked = slice + 1;
		atomic_store_explicit(&h->marks[slice % RING_SLICES], w->head, memory_order_relaxed);
	}
	if (end > w->reserve) {
		w->reserve = end;
		atomic_store_explicit(&h->reserve, end, memory_order_relaxed);
	}
	atomic_thread_fence(memory_order_release);
}

static void commit(struct ring_writer *w, uint64_t end)
{
	w->head = end;
	atomic_store_explicit(&w->map.header->head, end, memory_order_release);
}

static uint8_t *at_head(struct ring_writer *w)
{
	return w->map.data + ((w->head - w->map.first) & w->map.mask);
}

/* Bytes up to the end of the data; for a segment that is full, 0. */
static uint64_t room(const struct ring_writer *w)
{
	uint64_t used = w->head - w->map.first;

	if (w->map.header->kind == RING_KIND_SEGMENT)
		return w->map.mask + 1 - used;
	return w->map.mask + 1 - (used & w->map.mask);
}

static void write_header(struct ring_writer *w, uint32_t kind, uint32_t length)
{
	_Alignas(8) uint32_t words[2] = {length, kind};

	copy_shared(at_head(w), (const uint8_t *)words, RING_RECORD_HEADER);
}

static void pad(struct ring_writer *w, uint64_t bytes)
{
	announce(w, w->head + bytes);
	write_header(w, RING_PAD, (uint32_t)(bytes - RING_RECORD_HEADER));
	commit(w, w->head + bytes);
}

int ring_batch_check(const uint8_t *batch, uint64_t bytes, uint64_t slice)
{
	if ((uintptr_t)batch % 8 != 0)
		return -EINVAL;
	for (uint64_t at = 0; at < bytes;) {
		if (bytes - at < RING_RECORD_HEADER)
			return -EINVAL;
		uint64_t size = ring_record_bytes(record_length(batch + at));
		uint32_t kind = record_kind(batch + at);

		if (size > slice || size > bytes - at || kind == 0 || kind == RING_PAD)
			return -EINVAL;
		at += size;
	}
	return 0;
}

/* The longest run of whole records of at most `limit` bytes. */
static uint64_t run_of_records(const uint8_t *batch, uint64_t bytes, uint64_t limit)
{
	uint64_t at = 0;

	if (bytes <= limit)
		return bytes;
	while (at < bytes) {
		uint64_t size = ring_record_bytes(record_length(batch + at));

		if (at + size > limit)
			break;
		at += size;
	}
	return at;
}

uint64_t ring_put(struct ring_writer *w, const uint8_t *batch, uint64_t bytes)
{
	uint64_t taken = 0;

	while (taken < bytes) {
		uint64_t space = room(w), limit = space < w->map.slice ? space : w->map.slice;
		uint64_t run = run_of_records(batch + taken, bytes - taken, limit);

		if (run == 0) {
			if (w->map.header->kind == RING_KIND_SEGMENT)
				break;
			pad(w, space);
			continue;
		}
		announce(w, w->head + run);
		copy_shared(at_head(w), batch + taken, run);
		commit(w, w->head + run);
		taken += run;
	}
	return taken;
}

int64_t ring_write(struct ring_writer *w, const uint8_t *batch, uint64_t bytes)
{
	int result = w->begun != 0 ? -EINVAL : ring_batch_check(batch, bytes, w->map.slice);

	if (result < 0)
		return result;
	ring_put(w, batch, bytes);
	ring_bells(w);
	return (int64_t)bytes;
}

uint8_t *ring_begin(struct ring_writer *w, uint32_t length)
{
	uint64_t size = ring_record_bytes(length), space = room(w);

	if (w->begun != 0 || size > w->map.slice)
		return NULL;
	if (size > space) {
		if (w->map.header->kind == RING_KIND_SEGMENT)
			return NULL;
		pad(w, space);
	}
	announce(w, w->head + size);
	w->begun = size;
	return at_head(w) + RING_RECORD_HEADER;
}

int ring_end(struct ring_writer *w, uint32_t kind, uint32_t length)
{
	uint64_t size = ring_record_bytes(length);

	if (w->begun == 0 || size > w->begun || kind == 0 || kind == RING_PAD)
		return -EINVAL;
	write_header(w, kind, length);
	commit(w, w->head + size);
	w->begun = 0;
	return 0;
}

int ring_notify(struct ring_writer *w)
{
	return ring_bells(w);
}

void ring_beat(struct ring_writer *w)
{
	atomic_store_explicit(
	    &w->map.header->heartbeat_ns, ring_clock_ns(CLOCK_BOOTTIME), memory_order_relaxed);
}

uint64_t ring_writer_position(const struct ring_writer *w)
{
	return w->head;
}

uint64_t ring_writer_epoch(const struct ring_writer *w)
{
	return atomic_load_explicit(&w->map.header->epoch, memory_order_relaxed);
}

void ring_writer_adopt(struct ring_writer *w, uint64_t epoch)
{
	struct ring_header *h = w->map.header;

	w->head = atomic_load(&h->head);
	w->reserve = atomic_load(&h->reserve);
	/* What lay where the dead writer had begun to write is gone, so the stream goes on behind it. */
	if (w->reserve > w->head)
		pad(w, w->reserve - w->head);
	atomic_store(&h->pid, (uint32_t)getpid());
	atomic_store(&h->start, ring_process_start((uint32_t)getpid()));
	atomic_store(&h->boot_id, ring_boot_id());
	ring_beat(w);
	atomic_store(&h->epoch_start, w->head);
	atomic_store(&h->state, RING_LIVE);
	atomic_store_explicit(&h->epoch, epoch, memory_order_release);
}

int ring_writer_new(const char *path, const struct ring_birth *birth, struct ring_writer **out)
{
	char temporary[PATH_BYTES];
	struct ring_writer *w = calloc(1, sizeof *w);
	int result;

	if (w == NULL)
		return -ENOMEM;
	result = ring_map_create(path, birth, &w->map, temporary, sizeof temporary);
	if (result < 0) {
		free(w);
		return result;
	}
	ring_writer_adopt(w, birth->epoch);
	if (birth->before != NULL) {
		atomic_store(&w->map.header->epoch_start, atomic_load(&birth->before->epoch_start));
		w->map.header->child = birth->before->child;
	}
	/* Complete before it has its name; link(2) does not replace what another writer made meanwhile. */
	if (birth->over)
		result = rename(temporary, path) < 0 ? -errno : 0;
	else
		result = link(temporary, path) < 0 ? -errno : 0;
	if (!birth->over || result < 0)
		unlink(temporary);
	if (result < 0) {
		ring_map_close(&w->map);
		free(w);
		return result;
	}
	*out = w;
	return 0;
}

static void say_busy(const struct ring_header *h, char *why)
{
	snprintf(why, RING_WHY, "process %u writes to it", atomic_load(&h->pid));
}

int ring_writer_continue(const char *path, struct ring_writer **out, char *why)
{
	struct ring_writer *w = calloc(1, sizeof *w);
	struct stat mine, now;
	bool writable;
	int result;

	if (w == NULL)
		return -ENOMEM;
	result = ring_map_open(path, true, &w->map, &writable, why);
	if (result < 0) {
		free(w);
		return result;
	}
	result = ring_lock(w->map.fd, RING_LOCK_WRITER);
	if (result == -EBUSY)
		say_busy(w->map.header, why);
	/* Its writer may have replaced it between our open and our lock: then begin again. */
	if (result == 0 && (fstat(w->map.fd, &mine) < 0 || stat(path, &now) < 0 || mine.st_ino != now.st_ino))
		result = -EAGAIN;
	if (result < 0) {
		ring_map_close(&w->map);
		free(w);
		return result;
	}
	*out = w;
	return 0;
}

static int create_once(
    const char *path, uint64_t data_bytes, uint32_t mode, struct ring_writer **out, char *why)
{
	struct ring_writer *old = NULL;
	struct ring_birth birth = {.kind = RING_KIND_RING, .data_bytes = data_bytes, .epoch = 1};
	int result = ring_writer_continue(path, &old, why);

	birth.over = result != -ENOENT;
	if (result == -ENOENT || (result == -ENODATA && mode == RING_REPLACE))
		return ring_writer_new(path, &birth, out);
	if (result < 0)
		return result;
	if (old->map.header->kind != RING_KIND_RING) {
		snprintf(why, RING_WHY, "it is a log segment");
		ring_map_close(&old->map);
		free(old);
		return -EBADMSG;
	}
	birth.epoch = ring_writer_epoch(old) + 1;
	/* Positions never go back under one name: one that a snapshot has kept is not taken for another. */
	birth.first = atomic_load(&old->map.header->reserve);
	if (mode == RING_CONTINUE && old->map.mask + 1 == data_bytes) {
		ring_writer_adopt(old, birth.epoch);
		ring_bells(old);
		*out = old;
		return 0;
	}
	result = ring_writer_new(path, &birth, out);
	if (result < 0) {
		ring_map_close(&old->map);
		free(old);
		return result;
	}
	old->head = atomic_load(&old->map.header->head);
	ring_writer_release(old, RING_REPLACED);
	return 0;
}

int ring_create(const char *path, uint64_t data_bytes, uint32_t mode, struct ring_writer **out, char *why)
{
	/* Two that create at the same time see each other's files come and go; one of them wins within a few
	 * turns. */
	for (int attempt = 0; attempt < 16; attempt++) {
		int result = create_once(path, data_bytes, mode, out, why);

		if (result != -EAGAIN && result != -EEXIST)
			return result;
	}
	snprintf(why, RING_WHY, "others keep replacing it");
	return -EBUSY;
}

void ring_writer_release(struct ring_writer *w, enum ring_state state)
{
	atomic_store_explicit(&w->map.header->state, state, memory_order_release);
	ring_bells(w);
	ring_bells_close(w, ~0ull);
	ring_map_close(&w->map);
	free(w);
}

void ring_writer_free(struct ring_writer *w)
{
	if (w != NULL)
		ring_writer_release(w, RING_CLOSED);
}
