#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* /proc/sys refuses greater ones with ENOMEM: it allocates a buffer of the size that was asked for. */
#define LARGEST_READ (1024 * 1024)

int64_t hk_files_read(const char *path, void *buffer, uint64_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	int64_t error = 0;

	if (fd < 0)
		return -errno;
	while (done < bytes) {
		uint64_t room = bytes - done < LARGEST_READ ? bytes - done : LARGEST_READ;
		ssize_t got = read(fd, (char *)buffer + done, room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			error = -errno;
		if (got <= 0)
			break;
		done += (uint64_t)got;
	}
	close(fd);
	return error ? error : (int64_t)done;
}

int64_t hk_files_list(const char *path, char *buffer, uint64_t bytes)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	uint64_t done = 0;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		size_t length = strlen(entry->d_name) + 1;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (done + length > bytes) {
			closedir(folder);
			return -ERANGE;
		}
		memcpy(buffer + done, entry->d_name, length);
		done += length;
	}
	closedir(folder);
	return (int64_t)done;
}

int64_t hk_files_link(const char *path, char *buffer, uint64_t bytes)
{
	ssize_t found = readlink(path, buffer, bytes);

	if (found < 0)
		return -errno;
	return (uint64_t)found == bytes ? -ERANGE : found;
}

int hk_files_exist(const char *path)
{
	struct stat info;

	if (stat(path, &info) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int64_t hk_files_write(const char *path, const void *data, uint64_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -errno;
	do {
		done = write(fd, data, bytes);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		done = -errno;
	close(fd);
	return done;
}

int hk_files_make_folder(const char *path)
{
	return mkdir(path, 0755) == 0 ? 0 : -errno;
}

int hk_files_remove_folder(const char *path)
{
	return rmdir(path) == 0 ? 0 : -errno;
}
