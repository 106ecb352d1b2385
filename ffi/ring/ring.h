/*
 * A stream of records in a memory-mapped file: one writer, many readers in other processes, no system call in
 * between.
 *
 * The file (format 1) is the header below and `data_bytes` of data, a power of two. Every integer has the
 * byte order of the machine that wrote it, which `byte_order` tells; the layout is the same on every 64-bit
 * architecture. A position counts bytes since the stream began, is a multiple of 8, never wraps and never
 * goes back; the byte at position p lies at data[(p - first) % data_bytes]. A record is `u32 length, u32
 * kind, payload`, padded to 8; a record never wraps: RING_PAD fills the rest of the data, and kind 0 is never
 * written, so that zeros are not a record.
 *
 * The writer announces what it is about to overwrite (`reserve`), writes, then commits (`head`). A reader
 * copies and looks at `reserve` again: what had been announced by then it throws away, and it knows that it
 * was lapped. Readers map the file read-only and consume nothing: each owns its position.
 *
 * In a ring the data are reused. In a segment they are not: the next file, named by the position at which it
 * begins, goes on when one is full (struct segments).
 *
 * A doorbell is a file of one reading process: a futex word and a bit for each ring. Rings name in their
 * table the doorbells that want to be rung.
 *
 * Functions return 0 or a count, and -errno on failure. Whoever opens frees. A handle may be used by one
 * thread at a time; handles are independent of each other. Batches and buffers are aligned to 8, else
 * -EINVAL. Only doorbell_wait blocks. `why` takes RING_WHY bytes and tells, when a file is refused, what was
 * found. What is mapped must not be truncated by others: the kernel would answer SIGBUS.
 */
#ifndef HOSTKIT_RING_H
#define HOSTKIT_RING_H

#include <stdatomic.h>

#include "../export.h"

#define RING_MAGIC "hkring\n"
#define RING_FORMAT 1u
#define RING_BYTE_ORDER 0x01020304u
#define RING_HEADER_BYTES 8192u
/* A record takes at most one slice; of each slice the header marks where its first batch begins. */
#define RING_SLICES 8u
#define RING_DATA_MIN 4096u
#define RING_DATA_MAX (1ull << 34)
#define RING_RECORD_HEADER 8u
#define RING_PAD 0xffffffffu
#define RING_WHY 160u
/* Processes that one ring wakes. The next one is refused with -ENOSPC and has to look from time to time. */
#define RING_DOORBELLS 30u
/* Rings behind one doorbell. */
#define DOORBELL_RINGS 4096u
#define DOORBELL_MAGIC "hkbell\n"
#define DOORBELL_PATH 232u

/* Answers of ring_read that are not failures; both leave the reader ready to go on. */
#define RING_LAPPED (-75)     /* -EOVERFLOW: overtaken; the position is now one that still stands */
#define RING_RESTARTED (-116) /* -ESTALE: all of the earlier writer has been read, a new one goes on */

enum ring_kind { RING_KIND_RING = 1, RING_KIND_SEGMENT = 2 };
/* Sealed: the segment is full and the next one stands. Replaced: a new file stands under the ring's name. */
enum ring_state { RING_LIVE = 1, RING_CLOSED = 2, RING_SEALED = 3, RING_REPLACED = 4 };
enum ring_child_state { RING_CHILD_NONE = 0, RING_CHILD_RUNNING = 1, RING_CHILD_EXITED = 2 };
/* What ring_create does with a ring that stands there: go on where it ends, or put an empty one in its place.
 */
enum ring_mode { RING_CONTINUE = 0, RING_REPLACE = 1 };

/* The process whose output a log carries: written by its keeper, which outlives it. */
struct ring_child {
	uint32_t pid;
	_Atomic uint32_t state; /* enum ring_child_state */
	uint64_t start;         /* clock ticks since boot: with the pid it names a process for good */
	int32_t wait_status;    /* as of waitpid(2) */
	uint32_t reserved;
	uint64_t exit_ns;               /* realtime */
	_Atomic uint64_t dropped_bytes; /* of segments removed by retention */
	_Atomic uint64_t dropped_segments;
	uint64_t reserved2[2];
};

/* A doorbell that wants to be rung. Written under the table's lock; the generation is odd meanwhile. */
struct ring_bell {
	_Atomic uint32_t generation;
	uint32_t bit;
	uint32_t pid;
	uint32_t reserved;
	uint64_t start;
	char path[DOORBELL_PATH];
};

struct ring_header {
	/* Written before the file gets its name. */
	char magic[8];
	uint32_t byte_order, format;
	uint32_t header_bytes, kind; /* enum ring_kind */
	uint64_t data_bytes;
	uint64_t first;      /* position of the first byte of data */
	uint64_t created_ns; /* realtime */
	uint64_t reserved[2];
	/* The writer, with the boot it lives in. */
	_Alignas(64) _Atomic uint64_t epoch; /* one more with each writer */
	_Atomic uint64_t epoch_start;        /* position at which this writer began */
	_Atomic uint32_t pid;
	_Atomic uint32_t state; /* enum ring_state */
	_Atomic uint64_t start; /* clock ticks since boot */
	_Atomic uint64_t boot_id;
	_Atomic uint64_t heartbeat_ns; /* CLOCK_BOOTTIME: tells a stuck writer from one with nothing to say */
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t reserve;
	_Alignas(64) _Atomic uint64_t bell_mask; /* which of the bells are taken */
	_Alignas(64) struct ring_child child;
	_Alignas(64) _Atomic uint64_t marks[RING_SLICES];
	_Alignas(512) struct ring_bell bells[RING_DOORBELLS];
};
_Static_assert(sizeof(struct ring_header) == RING_HEADER_BYTES, "the header has two pages of 4 KiB");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "positions are shared between processes");

/* What ring_reader_status tells; 16 words of 64 bits for callers without C. */
struct ring_status {
	uint64_t position, head, reserve, epoch, state, pid, alive, heartbeat_ns;
	uint64_t lost_bytes, laps, child_state, child_pid, child_start, child_wait_status, child_exit_ns,
	    dropped_bytes;
};

struct ring_writer;
struct ring_reader;
struct doorbell;
struct segments;

/* Bytes of a record with that payload. */
static inline uint64_t ring_record_bytes(uint32_t length)
{
	return RING_RECORD_HEADER + (((uint64_t)length + 7) & ~7ull);
}

/* Opens the stream at `path` for writing; `data_bytes` is a power of two. -EBUSY when another writer has it;
 * -EBADMSG when what stands there is no ring, -EPROTONOSUPPORT a newer format, -EILSEQ another byte order,
 * -ENODATA a cut file: such a file is left alone, except that RING_REPLACE replaces a cut one. */
HK_EXPORT int ring_create(
    const char *path, uint64_t data_bytes, uint32_t mode, struct ring_writer **out, char *why);
/* Appends records that stand in `batch` in the file's own form, in order, and rings the doorbells once.
 * -EINVAL, and nothing is written, when the batch is malformed or a record is longer than a slice. */
HK_EXPORT int64_t ring_write(struct ring_writer *w, const uint8_t *batch, uint64_t bytes);
/* Room for one payload of up to `length` bytes inside the ring itself, to be filled in place; ring_end
 * commits the `length` bytes that were filled, without ringing: ring_notify does. NULL when it is longer than
 * a slice. */
HK_EXPORT uint8_t *ring_begin(struct ring_writer *w, uint32_t length);
HK_EXPORT int ring_end(struct ring_writer *w, uint32_t kind, uint32_t length);
HK_EXPORT int ring_notify(struct ring_writer *w);
/* Says that the writer is alive and well; once a second is enough. */
HK_EXPORT void ring_beat(struct ring_writer *w);
HK_EXPORT uint64_t ring_writer_position(const struct ring_writer *w);
HK_EXPORT uint64_t ring_writer_epoch(const struct ring_writer *w);
/* Says that no more comes, rings, unmaps. The file stays. Takes NULL. */
HK_EXPORT void ring_writer_free(struct ring_writer *w);

/* Opens for reading, at the oldest position. Failures as of ring_create. */
HK_EXPORT int ring_open(const char *path, struct ring_reader **out, char *why);
/* Copies whole records of up to `bytes` (at least one slice, else perhaps -ENOBUFS) and moves on. 0 when
 * there is nothing new, RING_LAPPED, RING_RESTARTED; -EBADMSG when the records make no sense. Padding may be
 * among them. */
HK_EXPORT int64_t ring_read(struct ring_reader *r, uint8_t *buffer, uint64_t bytes);
/* Whether ring_read has something to say. */
HK_EXPORT int ring_pending(struct ring_reader *r);
/* Moves to the oldest record that begins at most `backlog` bytes before the end; 0 is the end. */
HK_EXPORT uint64_t ring_seek_back(struct ring_reader *r, uint64_t backlog);
/* Moves to a position that a snapshot named. -ERANGE when it lies after the end; one that was overwritten
 * laps. */
HK_EXPORT int ring_seek(struct ring_reader *r, uint64_t position);
/* enum ring_state. Read again when it is not RING_LIVE: the last records may have come since. */
HK_EXPORT uint32_t ring_reader_state(const struct ring_reader *r);
HK_EXPORT uint64_t ring_reader_epoch(const struct ring_reader *r);
HK_EXPORT uint64_t ring_reader_position(const struct ring_reader *r);
HK_EXPORT uint64_t ring_reader_slice(const struct ring_reader *r);
HK_EXPORT void ring_reader_status(struct ring_reader *r, struct ring_status *out);
HK_EXPORT void ring_reader_free(struct ring_reader *r);

/* Makes the doorbell file of this process; it is removed by doorbell_free. -EBUSY when a living process has
 * it. */
HK_EXPORT int doorbell_create(const char *path, struct doorbell **out, char *why);
/* Has the ring of `r` set bit `bit` from now on: whatever was written before has to be looked for once more.
 * -ENOSPC when RING_DOORBELLS processes are there, -EAGAIN when the table is busy, -EACCES, -EROFS when it
 * cannot be written. Entries of dead processes are taken over. */
HK_EXPORT int ring_register(struct ring_reader *r, struct doorbell *bell, uint32_t bit);
HK_EXPORT int ring_unregister(struct ring_reader *r, struct doorbell *bell);
/* Sleeps until a bit is set, doorbell_poke, or the time is over. Blocks; one waiter a doorbell, and meanwhile
 * the other functions may be called. Returns 1 when a bit is set, else 0. */
HK_EXPORT int doorbell_wait(struct doorbell *bell, int64_t timeout_ns);
/* Ends a wait. */
HK_EXPORT void doorbell_poke(struct doorbell *bell);
/* Moves the bits to `bits` (DOORBELL_RINGS / 64 words) and clears them. Returns how many are set. */
HK_EXPORT int doorbell_take(struct doorbell *bell, uint64_t *bits);
HK_EXPORT void doorbell_free(struct doorbell *bell);

/* Fixed-size files of one stream in a folder, the oldest removed or the writer refused when they exceed
 * retention. */
enum segments_overflow { SEGMENTS_DROP_OLDEST = 0, SEGMENTS_BLOCK = 1 };
/* Goes on in the newest segment when there is one. Retention is at least two files. */
HK_EXPORT int segments_open(const char *folder, uint64_t data_bytes, uint64_t retain_bytes, uint32_t overflow,
    struct segments **out, char *why);
/* As ring_write, but returns how many bytes were taken: less than all only under SEGMENTS_BLOCK; -EAGAIN for
 * none. */
HK_EXPORT int64_t segments_write(struct segments *s, const uint8_t *batch, uint64_t bytes);
/* As ring_begin; *error is -EAGAIN under SEGMENTS_BLOCK when there is no room now. */
HK_EXPORT uint8_t *segments_begin(struct segments *s, uint32_t length, int *error);
HK_EXPORT int segments_end(struct segments *s, uint32_t kind, uint32_t length);
/* The descriptor of the file in which a record that was begun lies, and where: for who has the kernel copy
 * into it. */
int segments_place(const struct segments *s, const uint8_t *payload, uint64_t *offset);
HK_EXPORT int segments_notify(struct segments *s);
HK_EXPORT void segments_beat(struct segments *s);
HK_EXPORT uint64_t segments_position(const struct segments *s);
HK_EXPORT uint64_t segments_dropped_bytes(const struct segments *s);
/* Names the child whose output this is, and its end; both are carried on into later segments. */
HK_EXPORT void segments_child_started(struct segments *s, uint32_t pid, uint64_t start);
HK_EXPORT void segments_child_exited(struct segments *s, int32_t wait_status);
HK_EXPORT void segments_free(struct segments *s);

/* Start of a process in clock ticks since boot, 0 when there is none (proc_pid_stat(5), field 22). */
HK_EXPORT uint64_t ring_process_start(uint32_t pid);

#endif
