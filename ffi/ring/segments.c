/* A stream that outgrows one file: segments of a fixed size, retention by bytes. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define PATH_BYTES 4096
#define NAME_DIGITS 16
#define SUFFIX ".seg"

struct segments {
	char folder[PATH_BYTES - 32];
	uint64_t data_bytes;
	uint64_t file_limit; /* how many files retention allows */
	uint32_t overflow;
	struct ring_writer *writer;
};

/* The folder's segments as their writer sees them. */
struct listing {
	uint64_t count, oldest, second, previous, newest; /* positions at which they begin */
};

static void path_of(const struct segments *s, uint64_t first, char *path)
{
	snprintf(path, PATH_BYTES, "%s/%0*" PRIx64 SUFFIX, s->folder, NAME_DIGITS, first);
}

static bool parse_name(const char *name, uint64_t *first)
{
	char *end;

	if (strlen(name) != NAME_DIGITS + strlen(SUFFIX) || strcmp(name + NAME_DIGITS, SUFFIX) != 0)
		return false;
	*first = strtoull(name, &end, 16);
	return end == name + NAME_DIGITS;
}

static int list(const struct segments *s, struct listing *out)
{
	DIR *folder = opendir(s->folder);
	struct dirent *entry;
	uint64_t first;

	if (folder == NULL)
		return -errno;
	*out = (struct listing){.oldest = UINT64_MAX, .second = UINT64_MAX};
	while ((entry = readdir(folder)) != NULL) {
		if (!parse_name(entry->d_name, &first))
			continue;
		out->count++;
		if (first < out->oldest) {
			out->second = out->oldest;
			out->oldest = first;
		} else if (first < out->second) {
			out->second = first;
		}
		if (out->count == 1 || first > out->newest) {
			out->previous = out->newest;
			out->newest = first;
		} else if (first > out->previous) {
			out->previous = first;
		}
	}
	closedir(folder);
	return 0;
}

static int drop_oldest(struct segments *s, const struct listing *now)
{
	struct ring_child *child = &s->writer->map.header->child;
	char path[PATH_BYTES];

	path_of(s, now->oldest, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* The stream has no gaps: a segment ends where the next one begins. */
	atomic_fetch_add(&child->dropped_bytes, now->second - now->oldest);
	atomic_fetch_add(&child->dropped_segments, 1);
	return 0;
}

/* Makes room for one more file. -EAGAIN when it must not be made. */
static int retain(struct segments *s)
{
	for (;;) {
		struct listing now;
		int result = list(s, &now);

		if (result < 0 || now.count < s->file_limit)
			return result;
		if (s->overflow == SEGMENTS_BLOCK)
			return -EAGAIN;
		result = drop_oldest(s, &now);
		if (result < 0)
			return result;
	}
}

static int next_writer(struct segments *s, struct ring_writer **next)
{
	struct ring_birth birth = {
	    .kind = RING_KIND_SEGMENT,
	    .data_bytes = s->data_bytes,
	    .first = s->writer->head,
	    .epoch = ring_writer_epoch(s->writer),
	    .before = s->writer->map.header,
	};
	char path[PATH_BYTES];
	struct listing now;
	int result = retain(s);

	if (result < 0)
		return result;
	path_of(s, birth.first, path);
	for (;;) {
		result = ring_writer_new(path, &birth, next);
		/* A disk that is full before retention is reached: what is new is worth more than what is
		 * old. */
		if (result != -ENOSPC || s->overflow == SEGMENTS_BLOCK || list(s, &now) < 0 || now.count < 2)
			return result == -ENOSPC && s->overflow == SEGMENTS_BLOCK ? -EAGAIN : result;
		result = drop_oldest(s, &now);
		if (result < 0)
			return result;
	}
}

/* Goes on in a new file. Readers are rung by the old one: they find it sealed, open the next and register
 * there. */
static int rotate(struct segments *s)
{
	struct ring_writer *next;
	int result = next_writer(s, &next);

	if (result < 0)
		return result;
	ring_writer_release(s->writer, RING_SEALED);
	s->writer = next;
	return 0;
}

/* After a crash of the machine the disk may hold a head without the records before it: it goes back to the
 * last. */
static void mend(struct ring_writer *w)
{
	struct ring_header *h = w->map.header;
	uint64_t at = 0, used = atomic_load(&h->head) - w->map.first;

	while (at < used) {
		uint64_t size = ring_record_bytes(record_length(w->map.data + at));

		if (record_kind(w->map.data + at) == 0 || size > used - at)
			break;
		at += size;
	}
	atomic_store(&h->head, w->map.first + at);
	atomic_store(&h->reserve, w->map.first + at);
}

/* A writer that died between making a segment and sealing the one before has left that one's readers waiting.
 */
static void seal_previous(const struct segments *s, const struct listing *now)
{
	char path[PATH_BYTES], why[RING_WHY];
	struct ring_writer *w;

	path_of(s, now->previous, path);
	if (now->count < 2 || ring_writer_continue(path, &w, why) < 0)
		return;
	w->head = atomic_load(&w->map.header->head);
	ring_writer_release(w, RING_SEALED);
}

/* What a writer that died while it made a segment has left: there is no other writer now. */
static void remove_unborn(const struct segments *s)
{
	char path[PATH_BYTES + 256];
	struct dirent *entry;
	DIR *folder = opendir(s->folder);

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		const char *suffix = strstr(entry->d_name, SUFFIX ".");

		if (suffix == NULL || strcmp(strrchr(suffix, '.'), ".new") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", s->folder, entry->d_name);
		unlink(path);
	}
	if (folder != NULL)
		closedir(folder);
}

static int open_newest(struct segments *s, char *why)
{
	char path[PATH_BYTES];
	struct listing now;
	int result = list(s, &now);

	if (result < 0)
		return result;
	path_of(s, now.newest, path);
	if (now.count == 0) {
		struct ring_birth birth = {
		    .kind = RING_KIND_SEGMENT, .data_bytes = s->data_bytes, .epoch = 1};

		return ring_writer_new(path, &birth, &s->writer);
	}
	result = ring_writer_continue(path, &s->writer, why);
	if (result < 0) {
		size_t used = strlen(why);

		if (used > 0)
			snprintf(why + used, RING_WHY - used, " (segment %0*" PRIx64 SUFFIX ")", NAME_DIGITS,
			    now.newest);
		return result;
	}
	if (atomic_load(&s->writer->map.header->boot_id) != ring_boot_id())
		mend(s->writer);
	ring_writer_adopt(s->writer, ring_writer_epoch(s->writer) + 1);
	ring_bells(s->writer);
	remove_unborn(s);
	seal_previous(s, &now);
	return 0;
}

int segments_open(const char *folder, uint64_t data_bytes, uint64_t retain_bytes, uint32_t overflow,
    struct segments **out, char *why)
{
	struct segments *s;
	int result;

	if (data_bytes < RING_DATA_MIN || data_bytes > RING_DATA_MAX ||
	    (data_bytes & (data_bytes - 1)) != 0 || retain_bytes / (RING_HEADER_BYTES + data_bytes) < 2)
		return -EINVAL;
	if (strlen(folder) >= sizeof s->folder)
		return -ENAMETOOLONG;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	strcpy(s->folder, folder);
	s->data_bytes = data_bytes;
	s->file_limit = retain_bytes / (RING_HEADER_BYTES + data_bytes);
	s->overflow = overflow;
	result = open_newest(s, why);
	if (result < 0) {
		free(s);
		return result;
	}
	*out = s;
	return 0;
}

int64_t segments_write(struct segments *s, const uint8_t *batch, uint64_t bytes)
{
	uint64_t slice = s->data_bytes / RING_SLICES, taken = 0;
	int result = s->writer->begun != 0 ? -EINVAL : ring_batch_check(batch, bytes, slice);

	while (result == 0 && taken < bytes) {
		taken += ring_put(s->writer, batch + taken, bytes - taken);
		if (taken < bytes)
			result = rotate(s);
	}
	if (taken > 0)
		ring_bells(s->writer);
	return taken > 0 || result == 0 ? (int64_t)taken : result;
}

uint8_t *segments_begin(struct segments *s, uint32_t length, int *error)
{
	uint8_t *payload;

	*error = -EINVAL;
	if (s->writer->begun != 0 || ring_record_bytes(length) > s->data_bytes / RING_SLICES)
		return NULL;
	payload = ring_begin(s->writer, length);
	if (payload != NULL)
		return payload;
	*error = rotate(s);
	return *error < 0 ? NULL : ring_begin(s->writer, length);
}

int segments_end(struct segments *s, uint32_t kind, uint32_t length)
{
	return ring_end(s->writer, kind, length);
}

int segments_place(const struct segments *s, const uint8_t *payload, uint64_t *offset)
{
	*offset = (uint64_t)(payload - (const uint8_t *)s->writer->map.header);
	return s->writer->map.fd;
}

int segments_notify(struct segments *s)
{
	return ring_bells(s->writer);
}

void segments_beat(struct segments *s)
{
	ring_beat(s->writer);
}

uint64_t segments_position(const struct segments *s)
{
	return s->writer->head;
}

uint64_t segments_dropped_bytes(const struct segments *s)
{
	return atomic_load(&s->writer->map.header->child.dropped_bytes);
}

void segments_child_started(struct segments *s, uint32_t pid, uint64_t start)
{
	struct ring_child *child = &s->writer->map.header->child;

	child->pid = pid;
	child->start = start;
	child->wait_status = 0;
	child->exit_ns = 0;
	atomic_store_explicit(&child->state, RING_CHILD_RUNNING, memory_order_release);
	ring_bells(s->writer);
}

void segments_child_exited(struct segments *s, int32_t wait_status)
{
	struct ring_child *child = &s->writer->map.header->child;

	child->wait_status = wait_status;
	child->exit_ns = ring_clock_ns(CLOCK_REALTIME);
	atomic_store_explicit(&child->state, RING_CHILD_EXITED, memory_order_release);
	ring_bells(s->writer);
}

void segments_free(struct segments *s)
{
	if (s == NULL)
		return;
	ring_writer_free(s->writer);
	free(s);
}
