/* What a keeper writes down: its child's output and messages, and its own words, as they find room in the
 * log. */
#ifndef HOSTKIT_KEEPER_OUTPUT_H
#define HOSTKIT_KEEPER_OUTPUT_H

#include "options.h"

#define OUTPUT_ASIDE_BYTES 256u
/* Own words that wait while the log is full. Only what a client provokes again and again can be more than
 * these; of that the rest is dropped. */
#define OUTPUT_EVENTS 4u
#define OUTPUT_EVENT_BYTES 512u

struct output {
	struct segments *log;
	uint32_t largest; /* bytes of one record behind its time stamp */
	bool full;        /* the log takes nothing until somebody makes room, or it is tried again */
	bool waits;       /* the child waits until a full log is emptied; else nothing makes it wait */
	int refusal;      /* errno of the last record that found no room */
	/* Output that was thrown away since the log takes nothing, until that is told in it. */
	uint64_t lost_bytes;
	/* A few bytes that were read while the log was full. */
	uint32_t aside_bytes, aside_kind;
	uint8_t aside[OUTPUT_ASIDE_BYTES];
	uint32_t event_count;
	char events[OUTPUT_EVENTS][OUTPUT_EVENT_BYTES];
};

/* Opens the log; returns 0 or -errno and tells in `why` (RING_WHY bytes) what was found. */
int output_open(struct output *out, const struct options *o, char *why);
/* Writes one line of the keeper's own, or keeps it until there is room. */
void output_event(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Looks anew whether a full log has room, and writes what waits for it. */
void output_retry(struct output *o);
/* Copies what stands in `*fd` into the log, for a turn or, to the end of a dead child's output, as much as a
 * pipe holds: descendants may go on for ever. Closes `*fd` at its end, and makes it -1. */
void output_copy(struct output *o, int *fd, uint32_t kind);
void output_drain(struct output *o, int *fd, uint32_t kind);
/* Takes the datagrams that wait at the notify socket, for a turn. What finds no room stays there. */
void output_notifications(struct output *o, int fd);
/* Whether output is thrown away, since the log can take none and the child is not to wait for that: no room
 * on the disk though the oldest has gone, or the folder has. What is lost is told as soon as there is room.
 */
bool output_discards(const struct output *o);
/* Whether something was read or is to be told that the log has no room for. */
bool output_owes(const struct output *o);

#endif
