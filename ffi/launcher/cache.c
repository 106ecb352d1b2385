#include "cache.h"
#include <dirent.h>
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

/* Opens KEY.NAME in the folder and locks it; the kernel drops the lock of a process that dies. The files
 * stay, since a lock on a file that was removed and made anew would exclude nobody. Returns a descriptor or
 * -errno. */
static int lock_file(const char *folder, const char *key, const char *name, int flags, int operation)
{
	char path[PATH_MAX + KEY_LENGTH + 8];
	snprintf(path, sizeof(path), "%s/%.*s.%s", folder, KEY_LENGTH, key, name);
	int fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | flags, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, operation) < 0) {
		if (errno == EINTR)
			continue;
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Removes the entries of other payloads, also half-made ones, that no process runs from or makes. */
static void remove_unused(const char *folder, const char *key)
{
	char path[PATH_MAX];
	DIR *names = opendir(folder);
	struct dirent *each;

	while (names != NULL && (each = readdir(names)) != NULL) {
		const char *rest = each->d_name + strspn(each->d_name, "0123456789abcdef");
		bool is_entry =
		    rest == each->d_name + KEY_LENGTH && (*rest == '\0' || strcmp(rest, ".new") == 0);
		if (!is_entry || strncmp(each->d_name, key, KEY_LENGTH) == 0)
			continue;
		int lock = lock_file(folder, each->d_name, "used", O_CLOEXEC, LOCK_EX | LOCK_NB);
		if (lock < 0)
			continue;
		/* What cannot be removed now is tried again by the next version. */
		if (snprintf(path, sizeof(path), "%s/%s", folder, each->d_name) < PATH_MAX)
			entry_remove(path);
		close(lock);
	}
	if (names != NULL)
		closedir(names);
}

/* Returns NULL when the entry in this folder is whole, or why it could not be made so. */
static const char *open_in(const struct payload *payload, const char *folder, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s", folder, payload->key) >= PATH_MAX - ENTRY_PATH_ROOM)
		return "the path is too long";
	const char *unfit = check_folder(folder);
	if (unfit != NULL)
		return unfit;
	/* Before the look, so that what is found whole stays. Where nothing can be written nobody removes it
	 * either. */
	int used = lock_file(folder, payload->key, "used", 0, LOCK_SH);
	if (entry_is_whole(payload, path))
		return NULL;
	int lock = lock_file(folder, payload->key, "lock", O_CLOEXEC, LOCK_EX);
	int error = lock < 0 ? lock : 0;
	/* Another process may have made it while this one waited. */
	if (error == 0 && !entry_is_whole(payload, path)) {
		error = entry_make(payload, path);
		if (error == 0)
			remove_unused(folder, payload->key);
	}
	if (lock >= 0)
		close(lock);
	if (error < 0 && used >= 0)
		close(used);
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
