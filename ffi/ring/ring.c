/* The file: how it is made, checked, mapped and locked; and who lives. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* Rings carry output and messages of their owner: nobody else reads them. */
#define RING_FILE_MODE 0600

static int check_header(const struct ring_header *h, uint64_t file_bytes, char *why)
{
	if (file_bytes < sizeof h->magic || memcmp(h->magic, RING_MAGIC, sizeof h->magic) != 0) {
		uint64_t begin = 0;

		memcpy(&begin, h->magic, file_bytes < 8 ? file_bytes : 8);
		snprintf(why, RING_WHY, "it is no ring: %" PRIu64 " bytes that begin with 0x%016" PRIx64,
		    file_bytes, __builtin_bswap64(begin));
		return -EBADMSG;
	}
	if (file_bytes < RING_HEADER_BYTES) {
		snprintf(why, RING_WHY, "it is cut short: %" PRIu64 " bytes, the header alone has %u",
		    file_bytes, RING_HEADER_BYTES);
		return -ENODATA;
	}
	if (h->byte_order != RING_BYTE_ORDER) {
		snprintf(why, RING_WHY, "its byte order is 0x%08x, this machine's is 0x%08x", h->byte_order,
		    RING_BYTE_ORDER);
		return -EILSEQ;
	}
	if (h->format != RING_FORMAT) {
		snprintf(why, RING_WHY, "its format is %u, this build reads %u", h->format, RING_FORMAT);
		return -EPROTONOSUPPORT;
	}
	if (h->header_bytes != RING_HEADER_BYTES || h->data_bytes < RING_DATA_MIN ||
	    h->data_bytes > RING_DATA_MAX || (h->data_bytes & (h->data_bytes - 1)) != 0 ||
	    (h->kind != RING_KIND_RING && h->kind != RING_KIND_SEGMENT)) {
		snprintf(why, RING_WHY,
		    "its header is damaged: %u bytes of header, %" PRIu64 " of data, kind %u",
		    h->header_bytes, h->data_bytes, h->kind);
		return -EBADMSG;
	}
	if (file_bytes < RING_HEADER_BYTES + h->data_bytes) {
		snprintf(why, RING_WHY, "it is cut short: %" PRIu64 " bytes, its header says %" PRIu64,
		    file_bytes, RING_HEADER_BYTES + h->data_bytes);
		return -ENODATA;
	}
	uint64_t head = atomic_load(&h->head), reserve = atomic_load(&h->reserve);

	if (h->first % 8 != 0 || head % 8 != 0 || head < h->first || reserve < head ||
	    reserve - head > h->data_bytes / RING_SLICES ||
	    (h->kind == RING_KIND_SEGMENT && reserve - h->first > h->data_bytes)) {
		snprintf(why, RING_WHY,
		    "its positions are damaged: first %" PRIu64 ", head %" PRIu64 ", reserve %" PRIu64,
		    h->first, head, reserve);
		return -EBADMSG;
	}
	return 0;
}

static int map_fd(int fd, uint64_t bytes, bool writable, struct ring_map *map)
{
	void *at = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	map->header = at;
	map->data = (uint8_t *)at + RING_HEADER_BYTES;
	map->map_bytes = bytes;
	map->fd = fd;
	return 0;
}

static void describe(struct ring_map *map)
{
	map->mask = map->header->data_bytes - 1;
	map->first = map->header->first;
	map->slice = map->header->data_bytes / RING_SLICES;
}

int ring_map_open(const char *path, bool for_writing, struct ring_map *map, bool *writable, char *why)
{
	struct stat st;
	int result, fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	*writable = fd >= 0;
	if (fd < 0 && !for_writing && (errno == EACCES || errno == EROFS || errno == EPERM))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		result = -errno;
		goto fail;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		snprintf(why, RING_WHY, S_ISREG(st.st_mode) ? "it is empty" : "it is not a regular file");
		result = S_ISREG(st.st_mode) ? -ENODATA : -EBADMSG;
		goto fail;
	}
	result = map_fd(fd, (uint64_t)st.st_size, for_writing, map);
	if (result < 0)
		goto fail;
	result = check_header(map->header, (uint64_t)st.st_size, why);
	if (result < 0) {
		munmap(map->header, map->map_bytes);
		goto fail;
	}
	describe(map);
	return 0;
fail:
	close(fd);
	return result;
}

int ring_map_create(const char *path, const struct ring_birth *birth, struct ring_map *map, char temporary[],
    size_t temporary_bytes)
{
	static _Atomic uint32_t serial;
	uint64_t data_bytes = birth->data_bytes;
	int fd, result;

	if (data_bytes < RING_DATA_MIN || data_bytes > RING_DATA_MAX || (data_bytes & (data_bytes - 1)) != 0)
		return -EINVAL;
	result = snprintf(
	    temporary, temporary_bytes, "%s.%d.%u.new", path, (int)getpid(), atomic_fetch_add(&serial, 1));
	if (result < 0 || (size_t)result >= temporary_bytes)
		return -ENAMETOOLONG;
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, RING_FILE_MODE);
	if (fd < 0)
		return -errno;
	/* A full disk has to fail here: on a sparse file it would be a SIGBUS in the middle of a write. */
	result = -posix_fallocate(fd, 0, (off_t)(RING_HEADER_BYTES + data_bytes));
	if (result == 0)
		result = ring_lock(fd, RING_LOCK_WRITER);
	if (result == 0)
		result = map_fd(fd, RING_HEADER_BYTES + data_bytes, true, map);
	if (result < 0) {
		unlink(temporary);
		close(fd);
		return result;
	}
	struct ring_header *h = map->header;

	memcpy(h->magic, RING_MAGIC, sizeof h->magic);
	h->byte_order = RING_BYTE_ORDER;
	h->format = RING_FORMAT;
	h->header_bytes = RING_HEADER_BYTES;
	h->kind = birth->kind;
	h->data_bytes = data_bytes;
	h->first = birth->first;
	h->created_ns = ring_clock_ns(CLOCK_REALTIME);
	atomic_store(&h->head, birth->first);
	atomic_store(&h->reserve, birth->first);
	describe(map);
	return 0;
}

void ring_map_close(struct ring_map *map)
{
	/*
	 * A child that another thread has forked and that has not yet called exec still shares our
	 * description, and would hold its locks beyond the close.
	 */
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	fcntl(map->fd, F_OFD_SETLK, &all);
	munmap(map->header, map->map_bytes);
	close(map->fd);
}

int ring_lock(int fd, enum ring_lock which)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void ring_unlock(int fd, enum ring_lock which)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

	fcntl(fd, F_OFD_SETLK, &lock);
}

static ssize_t read_text(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t got = read(fd, text, bytes - 1);

	close(fd);
	if (got >= 0)
		text[got] = '\0';
	return got;
}

uint64_t ring_boot_id(void)
{
	char text[64], digits[17];
	size_t count = 0;

	if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof text) <= 0)
		return 0;
	for (const char *at = text; *at != '\0' && count < 16; at++)
		if (*at != '-')
			digits[count++] = *at;
	digits[count] = '\0';
	return strtoull(digits, NULL, 16);
}

uint64_t ring_process_start(uint32_t pid)
{
	char path[32], text[1024];
	const char *at;

	snprintf(path, sizeof path, "/proc/%u/stat", pid);
	if (read_text(path, text, sizeof text) <= 0)
		return 0;
	/* The name is in parentheses and may hold any byte: what counts is the last one. Then comes field 3,
	 * the state. */
	at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ')
		return 0;
	if (at[2] == 'Z' || at[2] == 'X')
		return 0; /* a zombie writes nothing any more */
	for (int field = 2; field < 22 && at != NULL; field++)
		at = strchr(at + 1, ' ');
	return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

/* Why a file of /proc cannot be opened that is there. */
static bool starved(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

bool ring_process_lives(uint32_t pid, uint64_t start, uint64_t boot_id)
{
	uint64_t now;

	if (pid == 0)
		return false;
	/* Without a descriptor nobody is declared dead: who is gone is found so as well, but for a pid that
	 * another has by now. */
	errno = 0;
	now = ring_boot_id();
	if (now != boot_id && !(now == 0 && starved()))
		return false;
	errno = 0;
	now = ring_process_start(pid);
	if (now == 0 && starved())
		return kill((pid_t)pid, 0) == 0 || errno == EPERM;
	return now == start;
}

uint64_t ring_clock_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}
