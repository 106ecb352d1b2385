/*
 * What stands behind the launcher in the packed file: the runtime, the bundle, assets and ready-made answers.
 *
 * The file is: launcher (ELF), contents, index, trailer. The index is records of NUL-terminated fields; an
 * empty field ends a record. All offsets count from the start of the file. lib/build/pack_file.ts writes it.
 *
 *   tool NAME ARGUMENT...              the runtime's arguments up to the bundle
 *   file PATH MODE OFFSET SIZE         unpacked into the cache; MODE is octal
 *   answer STYLE OFFSET SIZE WORD...   the text that is printed for exactly these words
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record with more fields is damaged. */
#define MAX_FIELDS 64
/* Hexadecimal digits of the key. */
#define KEY_LENGTH 32

struct payload {
	int fd;
	const unsigned char *bytes; /* The whole file, mapped read-only for the life of the process. */
	size_t size;
	const char *index;
	size_t index_size;
	char key[KEY_LENGTH + 1]; /* Names the contents: equal keys mean equal contents. */
};

struct record {
	const char *fields[MAX_FIELDS];
	int count;
};

/* A range of the packed file. */
struct range {
	uint64_t offset;
	uint64_t size;
};

/* Maps this process's own executable. Returns 0, -EBADMSG when it holds no whole payload, or another -errno.
 */
int payload_open(struct payload *payload);

/* Steps through the records: *at starts at 0. Returns false at the end; a damaged index ends early. */
bool payload_next(const struct payload *payload, size_t *at, struct record *record);

/* Reads fields[first] and fields[first + 1] as offset and size. Returns false when they lie outside the file.
 */
bool payload_range(
    const struct payload *payload, const struct record *record, int first, struct range *range);
