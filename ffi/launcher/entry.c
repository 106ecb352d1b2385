#include "entry.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Contents up to this size are compared whole; of larger ones (the runtime) pages spread over the file. */
#define COMPARED_WHOLE (4u << 20)
#define SAMPLE_COUNT 64
#define SAMPLE_BYTES 4096

/* Every unpacked file carries this modification time (2000-01-01): one that was written since does not. */
static const struct timespec UNWRITTEN = {.tv_sec = 946684800};

/* Open folders that nftw may hold at once. */
#define WALK_DEPTH 16

struct file {
	char path[PATH_MAX];
	mode_t mode;
	struct range range;
};

/* Reads a `file` record; false for other records and for paths that lead out of the entry. */
static bool read_file(
    const struct payload *payload, const char *entry, const struct record *record, struct file *file)
{
	if (record->count != 5 || strcmp(record->fields[0], "file") != 0)
		return false;
	const char *name = record->fields[1];
	if (name[0] == '/' || strstr(name, "..") != NULL || strlen(name) >= ENTRY_PATH_ROOM)
		return false;
	file->mode = (mode_t)strtoul(record->fields[2], NULL, 8) & 0700;
	return payload_range(payload, record, 3, &file->range) &&
	       snprintf(file->path, sizeof(file->path), "%s/%s", entry, name) < (int)sizeof(file->path);
}

static bool same_bytes(const unsigned char *found, const unsigned char *wanted, size_t size)
{
	if (size <= COMPARED_WHOLE)
		return memcmp(found, wanted, size) == 0;
	size_t stride = (size - SAMPLE_BYTES) / (SAMPLE_COUNT - 1);
	for (size_t at = 0; at < SAMPLE_COUNT; at++)
		if (memcmp(found + at * stride, wanted + at * stride, SAMPLE_BYTES) != 0)
			return false;
	return true;
}

static bool file_is_whole(const struct payload *payload, const struct file *file)
{
	struct stat stat;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool whole = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && (stat.st_mode & 0777) == file->mode &&
	             (stat.st_uid == geteuid() || stat.st_uid == 0) &&
	             (uint64_t)stat.st_size == file->range.size && stat.st_mtim.tv_sec == UNWRITTEN.tv_sec &&
	             stat.st_mtim.tv_nsec == UNWRITTEN.tv_nsec;
	if (whole && file->range.size > 0) {
		void *found = mmap(NULL, file->range.size, PROT_READ, MAP_PRIVATE, fd, 0);
		whole = found != MAP_FAILED &&
		        same_bytes(found, payload->bytes + file->range.offset, file->range.size);
		if (found != MAP_FAILED)
			munmap(found, file->range.size);
	}
	close(fd);
	return whole;
}

bool entry_is_whole(const struct payload *payload, const char *path)
{
	struct stat stat;
	struct record record;
	struct file file;

	if (lstat(path, &stat) < 0 || !S_ISDIR(stat.st_mode) || (stat.st_mode & 0077) != 0)
		return false;
	if (stat.st_uid != geteuid() && stat.st_uid != 0)
		return false;
	for (size_t at = 0; payload_next(payload, &at, &record);)
		if (read_file(payload, path, &record, &file) && !file_is_whole(payload, &file))
			return false;
	return true;
}

/* Shares blocks where the file system can, copies inside the kernel where it can, else from the mapping. */
static int copy_range(const struct payload *payload, struct range range, int to)
{
	off_t from = (off_t)range.offset;
	uint64_t done = 0;

	while (done < range.size) {
		ssize_t moved = copy_file_range(payload->fd, &from, to, NULL, range.size - done, 0);
		if (moved <= 0)
			break;
		done += (uint64_t)moved;
	}
	while (done < range.size) {
		ssize_t moved = write(to, payload->bytes + range.offset + done, range.size - done);
		if (moved < 0 && errno != EINTR)
			return -errno;
		done += moved > 0 ? (uint64_t)moved : 0;
	}
	return 0;
}

static int write_file(const struct payload *payload, const struct file *file, size_t entry_length)
{
	char folder[PATH_MAX];
	const struct timespec times[] = {UNWRITTEN, UNWRITTEN};

	for (const char *slash = strchr(file->path + entry_length + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		memcpy(folder, file->path, slash - file->path);
		folder[slash - file->path] = '\0';
		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int error = copy_range(payload, file->range, fd);
	if (error == 0 && (fchmod(fd, file->mode) < 0 || futimens(fd, times) < 0))
		error = -errno;
	/* Some file systems tell of a full disk only here. */
	if (close(fd) < 0 && error == 0)
		error = -errno;
	return error;
}

static int unpack(const struct payload *payload, const char *path)
{
	struct record record;
	struct file file;

	if (mkdir(path, 0700) < 0)
		return -errno;
	for (size_t at = 0; payload_next(payload, &at, &record);) {
		if (!read_file(payload, path, &record, &file))
			continue;
		int error = write_file(payload, &file, strlen(path));
		if (error < 0)
			return error;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat, (void)type, (void)ftw;
	return remove(path);
}

int entry_remove(const char *path)
{
	if (nftw(path, remove_one, WALK_DEPTH, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int entry_make(const struct payload *payload, const char *path)
{
	char fresh[PATH_MAX + 8];

	/* The name is fixed, so that the next process removes what one that was killed left behind. */
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	int error = entry_remove(fresh);
	if (error == 0)
		error = unpack(payload, fresh);
	if (error == 0)
		error = entry_remove(path);
	if (error == 0 && rename(fresh, path) < 0)
		error = -errno;
	if (error < 0)
		entry_remove(fresh);
	return error;
}
