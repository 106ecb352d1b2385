#include "cache.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "entry.h"

/* Room for the reasons of all candidates; what does not fit is left out of the message. */
#define REASONS_SIZE 4096
#define MAX_CANDIDATES 8

struct candidates {
	char paths[MAX_CANDIDATES][PATH_MAX];
	int count;
};

/* Adds a folder, when what it is made of is set and absolute and the path is not too long. */
static void add(struct candidates *all, const char *parent, const char *rest)
{
	if (parent == NULL || parent[0] != '/' || all->count == MAX_CANDIDATES)
		return;
	/* RUNTIME_DIRECTORY may be a list. */
	int length = (int)strcspn(parent, ":");
	char *path = all->paths[all->count];
	if (snprintf(path, PATH_MAX, "%.*s%s", length, parent, rest) < PATH_MAX)
		all->count++;
}

static void list_candidates(struct candidates *all)
{
	char own[32];

	/* In folders that everybody shares each user has one of his own. */
	snprintf(own, sizeof(own), "/hostkit-%u", (unsigned)geteuid());
	add(all, getenv("HOSTKIT_CACHE_DIR"), "");
	add(all, getenv("XDG_CACHE_HOME"), "/hostkit");
	add(all, getenv("HOME"), "/.cache/hostkit");
	add(all, getenv("RUNTIME_DIRECTORY"), "");
	add(all, "/run", "/hostkit");
	add(all, "/var/tmp", own);
	add(all, "/dev/shm", own);
}

/* Makes the folder and, where missing, those above it. */
static int make_folders(const char *path)
{
	char part[PATH_MAX];
	for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		memcpy(part, path, slash - path);
		part[slash - path] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return -errno;
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Whether nobody but this user and root can put something into the folder or in its place. */
static const char *check_trust(const char *folder)
{
	char path[PATH_MAX];
	struct stat stat;

	if (realpath(folder, path) == NULL)
		return strerror(errno);
	for (bool own = true;; own = false) {
		if (lstat(path, &stat) < 0)
			return strerror(errno);
		if (stat.st_uid != geteuid() && stat.st_uid != 0)
			return own ? "it belongs to another user"
			           : "a folder above it belongs to another user";
		if ((stat.st_mode & 0022) != 0 && (own || (stat.st_mode & S_ISVTX) == 0))
			return own ? "others may write it" : "others may write a folder above it";
		char *slash = strrchr(path, '/');
		if (path[1] == '\0')
			return NULL;
		slash[slash == path ? 1 : 0] = '\0';
	}
}

/* Returns NULL, or why the folder cannot hold the cache. */
static const char *check_folder(const char *folder)
{
	struct statvfs volume;

	int made = make_folders(folder);
	if (made < 0)
		return strerror(-made);
	const char *distrust = check_trust(folder);
	if (distrust != NULL)
		return distrust;
	if (statvfs(folder, &volume) < 0)
		return strerror(errno);
	return (volume.f_flag & ST_NOEXEC) != 0 ? "it is mounted noexec" : NULL;
}

/* One process at a time makes or mends the entry; the kernel drops the lock of one that dies. */
static int lock_folder(const char *folder, const char *key)
{
	char path[PATH_MAX + KEY_LENGTH + 8];
	snprintf(path, sizeof(path), "%s/%s.lock", folder, key);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Returns NULL when the entry in this folder is whole, or why it could not be made so. */
static const char *open_in(const struct payload *payload, const char *folder, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s", folder, payload->key) >= PATH_MAX - ENTRY_PATH_ROOM)
		return "the path is too long";
	const char *unfit = check_folder(folder);
	if (unfit != NULL)
		return unfit;
	if (entry_is_whole(payload, path))
		return NULL;
	int lock = lock_folder(folder, payload->key);
	if (lock < 0)
		return strerror(-lock);
	/* Another process may have made it while this one waited. */
	int error = entry_is_whole(payload, path) ? 0 : entry_make(payload, path);
	close(lock);
	return error < 0 ? strerror(-error) : NULL;
}

int cache_open(const struct payload *payload, char path[PATH_MAX])
{
	static struct candidates all;
	char reasons[REASONS_SIZE] = "";
	size_t used = 0;

	list_candidates(&all);
	for (int at = 0; at < all.count; at++) {
		const char *reason = open_in(payload, all.paths[at], path);
		if (reason == NULL)
			return 0;
		int wrote =
		    snprintf(reasons + used, sizeof(reasons) - used, "\n  %s: %s", all.paths[at], reason);
		used = (size_t)wrote < sizeof(reasons) - used ? used + (size_t)wrote : sizeof(reasons) - 1;
	}
	fprintf(stderr,
	    "hostkit: cannot unpack the runtime: no folder to keep it in, set HOSTKIT_CACHE_DIR; tried:%s\n",
	    reasons);
	return -1;
}
