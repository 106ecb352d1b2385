/* What the files of this library share. */
#ifndef HOSTKIT_RING_INTERNAL_H
#define HOSTKIT_RING_INTERNAL_H

#include <stdbool.h>
#include <string.h>

#include "ring.h"

#define INTERNAL __attribute__((visibility("hidden")))

/* A ring or segment file as this process maps it. */
struct ring_map {
	struct ring_header *header;
	uint8_t *data;
	uint64_t mask; /* data_bytes - 1 */
	uint64_t first;
	uint64_t slice; /* data_bytes / RING_SLICES */
	uint64_t map_bytes;
	int fd;
};

/* Bytes of a file's OFD lock: the kernel releases it with the process, however that ends. */
enum ring_lock { RING_LOCK_WRITER = 0, RING_LOCK_TABLE = 1 };

/* What a new file begins with. */
struct ring_birth {
	enum ring_kind kind;
	uint64_t data_bytes, first, epoch;
	bool over;                        /* takes the place of a file that stands under its name */
	const struct ring_header *before; /* of the segment that it goes on from, or NULL */
};

struct ring_reader {
	struct ring_map map;
	uint64_t position, epoch;
	uint64_t lost_bytes, laps;
	bool writable; /* the file, for the doorbell table; the data are mapped read-only */
	int32_t slot;  /* in the doorbell table, -1 when not registered */
};

/* A writer's view of one reader's doorbell. */
struct bell_view {
	uint32_t
	    generation; /* of the table entry; 0 when nothing is mapped or the file could not be opened */
	uint32_t bit;
	struct doorbell_file *file;
};

struct ring_writer {
	struct ring_map map;
	uint64_t head, reserve; /* the header's, which only this process writes */
	uint64_t marked;        /* number of the slice that was marked last, plus one */
	uint64_t begun;         /* bytes that ring_begin holds, 0 when none */
	uint64_t opened;        /* mask of the views that are set */
	struct bell_view views[RING_DOORBELLS];
};

struct doorbell_file {
	char magic[8];
	uint32_t byte_order, format;
	uint32_t rings, pid;
	uint64_t start;
	_Alignas(64) _Atomic uint32_t word; /* futex; grows with each ring */
	_Atomic uint32_t sleeping;
	_Alignas(64) _Atomic uint64_t bits[DOORBELL_RINGS / 64];
};

struct doorbell {
	struct doorbell_file *file;
	char path[DOORBELL_PATH];
};

static inline uint32_t record_length(const uint8_t *record)
{
	uint32_t length;

	memcpy(&length, record, sizeof length);
	return length;
}

static inline uint32_t record_kind(const uint8_t *record)
{
	uint32_t kind;

	memcpy(&kind, record + 4, sizeof kind);
	return kind;
}

/* Maps and checks a file; `for_writing` maps it writable, else the file is opened writable when that is
 * allowed. */
INTERNAL int ring_map_open(
    const char *path, bool for_writing, struct ring_map *map, bool *writable, char *why);
/* Makes a file beside `path` under a name of its own, with room for its data and locked for its writer. */
INTERNAL int ring_map_create(const char *path, const struct ring_birth *birth, struct ring_map *map,
    char temporary[], size_t temporary_bytes);
INTERNAL void ring_map_close(struct ring_map *map);
INTERNAL int ring_lock(int fd, enum ring_lock which);
INTERNAL void ring_unlock(int fd, enum ring_lock which);

INTERNAL uint64_t ring_boot_id(void);
INTERNAL bool ring_process_lives(uint32_t pid, uint64_t start, uint64_t boot_id);
INTERNAL uint64_t ring_clock_ns(int clock);

/* Takes the file over (or begins it): next epoch, and what a dead writer left half written becomes padding.
 */
INTERNAL void ring_writer_adopt(struct ring_writer *w, uint64_t epoch);
INTERNAL int ring_writer_new(const char *path, const struct ring_birth *birth, struct ring_writer **out);
INTERNAL int ring_writer_continue(const char *path, struct ring_writer **out, char *why);
INTERNAL void ring_writer_release(struct ring_writer *w, enum ring_state state);
/* Writes whole records as far as a segment has room (a ring always has). Returns the bytes taken. */
INTERNAL uint64_t ring_put(struct ring_writer *w, const uint8_t *batch, uint64_t bytes);
INTERNAL int ring_batch_check(const uint8_t *batch, uint64_t bytes, uint64_t slice);
/* Rings the doorbells of the table. Returns how many sleepers were woken. */
INTERNAL int ring_bells(struct ring_writer *w);
INTERNAL void ring_bells_close(struct ring_writer *w, uint64_t which);

#endif
