/* Records of the log, made in place: nothing is taken from anywhere before there is room for it. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#define STAMP_BYTES 8u
/* Reads of one stream before the others get their turn. */
#define TURNS 16
/* Of one sd_notify(3) message; the rest is cut, which is told. */
#define DATAGRAM_BYTES 4096u
#define NS_PER_S 1000000000ull
/* Less is read with less effort. */
#define SPLICE_FROM 16384u
/* Of one read of output that nobody keeps. */
#define NOWHERE_BYTES 65536u

int output_open(struct output *out, const struct options *o, char *why)
{
	int result = segments_open(o->folder, o->segment_bytes, o->retain_bytes, o->overflow, &out->log, why);

	if (result == 0)
		out->largest = (uint32_t)(o->segment_bytes / RING_SLICES) - RING_RECORD_HEADER - STAMP_BYTES;
	out->waits = o->overflow == SEGMENTS_BLOCK;
	return result;
}

/* Room for a record of up to `length` bytes behind the time stamp, or NULL when the log is full. */
static uint8_t *begin_record(struct output *o, uint32_t length)
{
	struct timespec now;
	uint64_t stamp;
	int error;
	uint8_t *at;

	clock_gettime(CLOCK_REALTIME, &now);
	stamp = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	at = segments_begin(o->log, STAMP_BYTES + length, &error);
	/* Full under "block", or no room on the disk even for one file in exchange for the oldest. */
	o->full = at == NULL;
	if (at == NULL) {
		o->refusal = -error;
		return NULL;
	}
	memcpy(at, &stamp, STAMP_BYTES);
	return at + STAMP_BYTES;
}

static void end_record(struct output *o, uint32_t kind, uint32_t length)
{
	segments_end(o->log, kind, STAMP_BYTES + length);
}

static bool write_record(struct output *o, uint32_t kind, const void *bytes, uint32_t length)
{
	uint8_t *at = begin_record(o, length);

	if (at == NULL)
		return false;
	memcpy(at, bytes, length);
	end_record(o, kind, length);
	return true;
}

static bool write_event(struct output *o, const char *text)
{
	size_t bytes = strlen(text);

	return write_record(o, KEEPER_EVENT, text, bytes < o->largest ? (uint32_t)bytes : o->largest);
}

void output_event(struct output *o, const char *format, ...)
{
	char text[OUTPUT_EVENT_BYTES];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	if (o->event_count == 0 && write_event(o, text))
		return;
	if (o->event_count < OUTPUT_EVENTS)
		memcpy(o->events[o->event_count++], text, sizeof text);
}

bool output_discards(const struct output *o)
{
	/* Nobody makes room in a folder that is not there. */
	return o->full && (!o->waits || o->refusal == ENOENT);
}

/* Writes what was read before there was room for it. False while there is none. */
static bool flush_aside(struct output *o)
{
	if (o->aside_bytes > 0 && !write_record(o, o->aside_kind, o->aside, o->aside_bytes)) {
		if (!output_discards(o))
			return false;
		o->lost_bytes += o->aside_bytes;
	}
	o->aside_bytes = 0;
	return true;
}

/* Says how much is missing at this place of the log. False while there is no room for that. */
static bool tell_loss(struct output *o)
{
	char text[OUTPUT_EVENT_BYTES];
	uint64_t lost = o->lost_bytes;

	if (lost == 0)
		return true;
	snprintf(text, sizeof text, "%" PRIu64 " bytes of output are lost: the log could not take them (%s)",
	    lost, strerror(o->refusal));
	if (!write_event(o, text))
		return false;
	o->lost_bytes = 0;
	return true;
}

void output_retry(struct output *o)
{
	uint32_t written = 0;

	o->full = false;
	if (!flush_aside(o) || !tell_loss(o))
		return;
	while (written < o->event_count && write_event(o, o->events[written]))
		written++;
	o->event_count -= written;
	memmove(o->events, o->events[written], o->event_count * sizeof o->events[0]);
}

/* The end; of a terminal EIO, when its last user is gone. */
static void end_if_over(int *fd, ssize_t got)
{
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
}

/* A child that is not to wait is read on. */
static uint32_t discard(struct output *o, int *fd)
{
	static uint8_t nowhere[NOWHERE_BYTES];
	ssize_t got = read(*fd, nowhere, sizeof nowhere);

	if (got > 0) {
		o->lost_bytes += (uint64_t)got;
		return (uint32_t)got;
	}
	end_if_over(fd, got);
	return 0;
}

/* For what FIONREAD does not tell: the end, and a terminal's bytes that are still on their way. */
static uint32_t copy_aside(struct output *o, int *fd, uint32_t kind)
{
	ssize_t got;

	if (!flush_aside(o))
		return 0;
	got = read(*fd, o->aside, sizeof o->aside);
	if (got > 0) {
		o->aside_bytes = (uint32_t)got;
		o->aside_kind = kind;
		return flush_aside(o) ? (uint32_t)got : 0;
	}
	end_if_over(fd, got);
	return 0;
}

/* Reads into a record that was begun. Of much the kernel copies page by page into the file without a fault
 * for each: 0.55 s of CPU a GB, against 0.85 s with read(2), pipe included (6.18, ext4). */
static ssize_t fill(struct output *o, int fd, uint8_t *at, uint32_t length)
{
	uint64_t offset;
	int file = segments_place(o->log, at, &offset);
	off64_t to = (off64_t)offset;
	ssize_t got = length < SPLICE_FROM ? -1 : splice(fd, NULL, file, &to, length, SPLICE_F_NONBLOCK);

	/* A terminal has no pages to give, and not every file system takes them. */
	return got > 0 ? got : read(fd, at, length);
}

/* Returns how much it was, 0 when there is nothing more just now. */
static uint32_t copy_once(struct output *o, int *fd, uint32_t kind)
{
	int waiting = 0;
	uint32_t length;
	uint8_t *at;
	ssize_t got;

	if (output_discards(o))
		return discard(o, fd);
	/* Asked beforehand, so that a small write does not begin a new segment for want of room for a large
	 * one, and so that nothing is begun that does not come. */
	if (o->aside_bytes > 0 || ioctl(*fd, FIONREAD, &waiting) < 0 || waiting <= 0)
		return copy_aside(o, fd, kind);
	length = (uint32_t)waiting < o->largest ? (uint32_t)waiting : o->largest;
	at = begin_record(o, length);
	if (at == NULL)
		return output_discards(o) ? discard(o, fd) : 0;
	got = fill(o, *fd, at, length);
	end_record(o, kind, got > 0 ? (uint32_t)got : 0);
	return got > 0 ? (uint32_t)got : 0;
}

void output_copy(struct output *o, int *fd, uint32_t kind)
{
	for (int turn = 0; turn < TURNS && *fd >= 0 && copy_once(o, fd, kind); turn++)
		;
}

void output_drain(struct output *o, int *fd, uint32_t kind)
{
	uint32_t length = 1;

	for (uint32_t total = 0; *fd >= 0 && length > 0 && total < CHILD_PIPE_BYTES; total += length)
		length = copy_once(o, fd, kind);
}

/* False when none waits, or it finds no room. */
static bool take_notification(struct output *o, int fd)
{
	uint32_t limit = o->largest < DATAGRAM_BYTES ? o->largest : DATAGRAM_BYTES, length;
	char byte;
	/* Its whole length, and it stays there. */
	ssize_t whole = recv(fd, &byte, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT), got;
	uint8_t *at;

	if (whole < 0)
		return false;
	if (whole == 0)
		return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
	length = (uint64_t)whole < limit ? (uint32_t)whole : limit;
	at = begin_record(o, length);
	if (at == NULL)
		return false;
	got = recv(fd, at, length, MSG_DONTWAIT);
	end_record(o, KEEPER_NOTIFY, got > 0 ? (uint32_t)got : 0);
	if (whole > length)
		output_event(o, "a notification of %zd bytes was cut to %u", whole, length);
	return true;
}

void output_notifications(struct output *o, int fd)
{
	for (int turn = 0; turn < TURNS && take_notification(o, fd); turn++)
		;
}

bool output_owes(const struct output *o)
{
	return o->aside_bytes > 0 || o->event_count > 0;
}
