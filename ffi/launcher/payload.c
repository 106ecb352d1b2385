#include "payload.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct trailer {
	char magic[16];
	uint64_t index_offset;
	uint64_t index_size;
	char key[KEY_LENGTH];
};

static const char MAGIC[16] = "hostkit-pack-1";

static int open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* Without /proc: the path that was given to execve. */
	const char *path = (const char *)getauxval(AT_EXECFN);
	fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_key(const char *key)
{
	for (int at = 0; at < KEY_LENGTH; at++)
		if (key[at] == '\0' || strchr("0123456789abcdef", key[at]) == NULL)
			return false;
	return true;
}

static int read_trailer(struct payload *payload)
{
	struct trailer trailer;
	if (payload->size < sizeof(trailer))
		return -EBADMSG;
	size_t contents = payload->size - sizeof(trailer);
	memcpy(&trailer, payload->bytes + contents, sizeof(trailer));
	if (memcmp(trailer.magic, MAGIC, sizeof(MAGIC)) != 0 || !is_key(trailer.key))
		return -EBADMSG;
	if (trailer.index_offset > contents || trailer.index_size != contents - trailer.index_offset)
		return -EBADMSG;
	if (trailer.index_size == 0 || payload->bytes[contents - 1] != '\0')
		return -EBADMSG;
	payload->index = (const char *)payload->bytes + trailer.index_offset;
	payload->index_size = trailer.index_size;
	memcpy(payload->key, trailer.key, KEY_LENGTH);
	payload->key[KEY_LENGTH] = '\0';
	return 0;
}

int payload_open(struct payload *payload)
{
	struct stat stat;
	payload->fd = open_self();
	if (payload->fd < 0)
		return payload->fd;
	if (fstat(payload->fd, &stat) < 0)
		return -errno;
	payload->size = (size_t)stat.st_size;
	void *bytes = mmap(NULL, payload->size, PROT_READ, MAP_PRIVATE, payload->fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	payload->bytes = bytes;
	return read_trailer(payload);
}

bool payload_next(const struct payload *payload, size_t *at, struct record *record)
{
	record->count = 0;
	while (*at < payload->index_size) {
		/* The index ends with NUL, so no field reaches beyond it. */
		const char *field = payload->index + *at;
		*at += strlen(field) + 1;
		if (*field == '\0')
			return record->count > 0;
		if (record->count == MAX_FIELDS)
			return false;
		record->fields[record->count++] = field;
	}
	return false;
}

bool payload_range(const struct payload *payload, const struct record *record, int first, struct range *range)
{
	if (record->count < first + 2)
		return false;
	range->offset = strtoull(record->fields[first], NULL, 10);
	range->size = strtoull(record->fields[first + 1], NULL, 10);
	return range->offset <= payload->size && range->size <= payload->size - range->offset;
}
