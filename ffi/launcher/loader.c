#include "loader.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "elf.h"
#include "places.h"
#include "trial.h"

/* In the entry: how, the loader, its libraries, and what was asked for, a line each. */
#define MEMORY "loader"
#define MEMORY_SIZE (2 * LIBRARIES_SIZE + 3 * PATH_MAX)
/* Room for the reasons of all loaders; what does not fit is left out of the message. */
#define REASONS_SIZE 8192

static const char NIX_LD_LIBRARIES[] = "/run/current-system/sw/share/nix-ld/lib";

struct search {
	const char *program;
	char interpreter[PATH_MAX];
	/* $HOSTKIT_LOADER, a colon, $HOSTKIT_LIBRARY_PATH. */
	char wish[LIBRARIES_SIZE];
	struct places loaders, libraries;
	char reasons[REASONS_SIZE];
	bool lacks_libgcc;
};

static const char *env(const char *name)
{
	const char *value = getenv(name);
	return value == NULL ? "" : value;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Whether every folder of a list is there. */
static bool all_exist(const char *libraries)
{
	char folder[PATH_MAX];
	for (const char *at = libraries; *at != '\0'; at += *at == ':' ? 1 : 0) {
		size_t length = strcspn(at, ":");
		if (length >= PATH_MAX)
			return false;
		memcpy(folder, at, length);
		folder[length] = '\0';
		if (length > 0 && !exists(folder))
			return false;
		at += length;
	}
	return true;
}

/* Reads what started last time. Returns false when that cannot be, or need not be, what starts now. */
static bool recall(const char *entry, const struct search *search, struct loader *loader)
{
	char path[PATH_MAX + 16], text[MEMORY_SIZE], real[PATH_MAX];
	char *lines[4], *rest = text;

	snprintf(path, sizeof(path), "%s/" MEMORY, entry);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (size < 0)
		return false;
	text[size] = '\0';
	for (int at = 0; at < 4; at++) {
		char *end = strchr(rest, '\n');
		if (end == NULL)
			return false;
		*end = '\0';
		lines[at] = rest;
		rest = end + 1;
	}
	loader->called = strcmp(lines[0], "called") == 0;
	if (strcmp(lines[3], search->wish) != 0 || strlen(lines[1]) >= PATH_MAX ||
	    strlen(lines[2]) >= LIBRARIES_SIZE)
		return false;
	strcpy(loader->path, lines[1]);
	strcpy(loader->libraries, lines[2]);
	if (loader->called)
		return exists(loader->path) && all_exist(loader->libraries);
	return realpath(search->interpreter, real) != NULL && strcmp(real, loader->path) == 0;
}

/* Where it cannot be written the next start tries again. */
static void remember(const char *entry, const struct search *search, const struct loader *loader)
{
	char path[PATH_MAX + 16], fresh[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/" MEMORY, entry);
	snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)getpid());
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	bool wrote = dprintf(fd, "%s\n%s\n%s\n%s\n", loader->called ? "called" : "direct", loader->path,
	                 loader->libraries, search->wish) > 0;
	wrote = close(fd) == 0 && wrote;
	if (!wrote || rename(fresh, path) < 0)
		unlink(fresh);
}

static bool starts(struct search *search, const struct loader *loader, char reason[REASON_SIZE])
{
	if (trial_starts(search->program, loader, reason))
		return true;
	search->lacks_libgcc = search->lacks_libgcc || strstr(reason, "libgcc_s") != NULL;
	return false;
}

static void add_reason(struct search *search, const char *path, const char *reason)
{
	size_t used = strlen(search->reasons);
	snprintf(search->reasons + used, sizeof(search->reasons) - used, "\n  %s: %s", path, reason);
}

/* Alone, with its own folder, and with each folder of libgcc. */
static bool try_loader(struct search *search, const char *path, struct loader *loader)
{
	char reason[REASON_SIZE], own[PATH_MAX];
	const char *nix_ld = exists(NIX_LD_LIBRARIES) ? NIX_LD_LIBRARIES : "";

	loader->called = true;
	loader->libraries[0] = '\0';
	if (realpath(path, loader->path) == NULL) {
		add_reason(search, path, "there is no such file");
		return false;
	}
	if (env("HOSTKIT_LIBRARY_PATH")[0] == '\0' && starts(search, loader, reason))
		return true;
	strcpy(own, loader->path);
	*strrchr(own, '/') = '\0';
	for (int at = -1; at < search->libraries.count; at++) {
		const char *folders[] = {env("HOSTKIT_LIBRARY_PATH"),
		    at < 0 ? "" : search->libraries.paths[at], own, env("NIX_LD_LIBRARY_PATH"), nix_ld};
		size_t used = 0;
		for (size_t each = 0; each < sizeof(folders) / sizeof(*folders); each++) {
			size_t length = strlen(folders[each]);
			if (length == 0 || used + length + 2 > LIBRARIES_SIZE)
				continue;
			used += (size_t)sprintf(
			    loader->libraries + used, used == 0 ? "%s" : ":%s", folders[each]);
		}
		if (starts(search, loader, reason))
			return true;
	}
	add_reason(search, path, reason);
	return false;
}

/* What a person can do about it, the surest first. */
static const char *advice(const struct search *search)
{
	bool has_musl = exists("/lib/ld-musl-x86_64.so.1") || exists("/lib/ld-musl-aarch64.so.1");

	if (env("HOSTKIT_LOADER")[0] != '\0')
		return "No other was tried, since HOSTKIT_LOADER names this one: without it they are.";
	if (exists("/etc/NIXOS") || exists("/run/current-system/sw"))
		return "This is NixOS: set programs.nix-ld.enable = true in its configuration, or install "
		       "the "
		       "package of config/nix in the sources, which brings glibc and libgcc along.";
	if (exists("/nix/store"))
		return search->lacks_libgcc
		           ? "libgcc is missing: nix build --no-link nixpkgs#libgcc brings it into the store."
		           : "glibc is missing: nix build --no-link nixpkgs#glibc nixpkgs#libgcc brings it "
		             "into the "
		             "store; or install the package of config/nix in the sources.";
	if (search->lacks_libgcc)
		return "libgcc_s.so.1 is missing: install libgcc-s1 (Debian, Ubuntu), libgcc (Fedora, RHEL), "
		       "libgcc_s1 (openSUSE) or gcc-libs (Arch).";
	if (has_musl)
		return "This system's C library is musl, the runtime is made for glibc: run it in a "
		       "container of a "
		       "system with glibc, or install glibc and libgcc in a folder of their own.";
	return "Install glibc and libgcc: libc6 and libgcc-s1 (Debian, Ubuntu), glibc and libgcc (Fedora, "
	       "RHEL).";
}

static bool search_all(struct search *search, struct loader *loader)
{
	char reason[REASON_SIZE];
	const char *named = env("HOSTKIT_LOADER");
	const char *slash = strrchr(search->interpreter, '/');

	if (named[0] != '\0')
		return try_loader(search, named, loader);
	loader->called = false;
	loader->libraries[0] = '\0';
	/* Which one it is tells whether it is still the same next time. */
	if (realpath(search->interpreter, loader->path) == NULL)
		loader->path[0] = '\0';
	if (starts(search, loader, reason))
		return true;
	add_reason(search, search->interpreter, reason);
	places_list(slash == NULL ? search->interpreter : slash + 1, &search->loaders, &search->libraries);
	for (int at = 0; at < search->loaders.count; at++)
		if (try_loader(search, search->loaders.paths[at], loader))
			return true;
	return false;
}

bool loader_choose(const char *tool, const char *entry, const char *program, struct loader *loader)
{
	static struct search search;

	search.program = program;
	/* Only tests have a runtime that is no dynamic executable. */
	if (!elf_interpreter(program, search.interpreter)) {
		loader->called = false;
		return true;
	}
	snprintf(
	    search.wish, sizeof(search.wish), "%s:%s", env("HOSTKIT_LOADER"), env("HOSTKIT_LIBRARY_PATH"));
	if (recall(entry, &search, loader))
		return true;
	if (search_all(&search, loader)) {
		remember(entry, &search, loader);
		return true;
	}
	fprintf(stderr,
	    "%s: cannot start the runtime: it needs glibc's loader and libraries; tried:%s\n%s\n"
	    "HOSTKIT_LOADER=/path/to/%s names a loader, HOSTKIT_LIBRARY_PATH folders of libraries.\n",
	    tool, search.reasons, advice(&search),
	    strrchr(search.interpreter, '/') == NULL ? search.interpreter
	                                             : strrchr(search.interpreter, '/') + 1);
	return false;
}
