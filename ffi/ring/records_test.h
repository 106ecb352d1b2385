/* Records that tell by themselves whether they are whole; tests/ring/records.ts has the same in TypeScript.
 */
#ifndef HOSTKIT_RING_RECORDS_TEST_H
#define HOSTKIT_RING_RECORDS_TEST_H

#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define KIND 7u
#define CHECK(that)                                                                                          \
	do {                                                                                                 \
		if (!(that)) {                                                                               \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #that);                   \
			exit(1);                                                                             \
		}                                                                                            \
	} while (0)

static char why[RING_WHY];

/* Record number n: every word follows from n, so a word of another record is found out. */
static uint32_t payload_length(uint64_t n)
{
	return 16 + 8 * (uint32_t)(n % 31);
}

static uint32_t word_of(uint64_t n, uint32_t i)
{
	return i == 0 ? (uint32_t)n : i == 1 ? (uint32_t)(n >> 32) : (uint32_t)n * 2654435761u + i;
}

static uint64_t put_record(uint8_t *at, uint64_t n)
{
	uint32_t *words = (uint32_t *)at, length = payload_length(n);

	words[0] = length;
	words[1] = KIND;
	for (uint32_t i = 0; i < length / 4; i++)
		words[2 + i] = word_of(n, i);
	return ring_record_bytes(length);
}

struct tally {
	uint64_t next, seen, torn, gaps, silent; /* silent: a gap that no lap explains */
	bool lapped;
};

static void take_records(struct tally *t, const uint8_t *buffer, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += ring_record_bytes(record_length(buffer + at))) {
		const uint32_t *words = (const uint32_t *)(buffer + at) + 2;
		uint32_t length = record_length(buffer + at);
		uint64_t n = words[0] | (uint64_t)words[1] << 32;
		bool good = length == payload_length(n);

		if (record_kind(buffer + at) == RING_PAD)
			continue;
		for (uint32_t i = 0; good && i < length / 4; i++)
			good = words[i] == word_of(n, i);
		t->torn += !good;
		if (n != t->next) {
			t->gaps++;
			t->silent += !t->lapped || n < t->next;
		}
		t->lapped = false;
		t->next = n + 1;
		t->seen++;
	}
}

static void write_records(struct ring_writer *w, uint64_t from, uint64_t count, uint64_t batch_records)
{
	_Alignas(8) static uint8_t batch[512 * 300];

	CHECK(batch_records <= 512);
	for (uint64_t n = from; n < from + count;) {
		uint64_t bytes = 0;

		for (uint64_t i = 0; i < batch_records && n < from + count; i++)
			bytes += put_record(batch + bytes, n++);
		CHECK(ring_write(w, batch, bytes) == (int64_t)bytes);
	}
}

static struct ring_writer *create(const char *path, uint64_t data_bytes, uint32_t mode)
{
	struct ring_writer *w = NULL;
	int result = ring_create(path, data_bytes, mode, &w, why);

	if (result < 0)
		fprintf(stderr, "%s: %s %s\n", path, strerror(-result), why);
	CHECK(result == 0);
	return w;
}

static struct ring_reader *open_reader(const char *path)
{
	struct ring_reader *r = NULL;

	CHECK(ring_open(path, &r, why) == 0);
	return r;
}

#endif
