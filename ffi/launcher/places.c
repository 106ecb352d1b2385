#include "places.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "elf.h"

static const char *const STORES[] = {"/nix/store", "/gnu/store"};
/* Programs that every system has. What starts them is its own glibc, which the next collection of garbage
 * leaves. */
static const char *const PROGRAMS[] = {"/bin/sh", "/usr/bin/env", "/run/current-system/sw/bin/sh"};
static const char NIX_LD_LINK[] = "/run/current-system/sw/share/nix-ld/lib/ld.so";

/* Entries of a store are called HASH-NAME. */
#define HASH_LENGTH 32
/* Stores of more entries are read this far: about half a second. */
#define MAX_ENTRIES (1u << 20)

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static void add(struct places *places, const char *path)
{
	if (path == NULL || path[0] != '/' || strlen(path) >= PATH_MAX || access(path, R_OK) < 0)
		return;
	for (int at = 0; at < places->count; at++)
		if (strcmp(places->paths[at], path) == 0)
			return;
	if (places->count < MAX_PLACES)
		strcpy(places->paths[places->count++], path);
}

/* The part of a path in a store that tells what it is, from the name on. */
static const char *after_hash(const char *store, const char *path)
{
	return path + strlen(store) + 1 + HASH_LENGTH + 1;
}

/* Keeps the newest of what is found in a store, newest first. */
static void add_newest(struct places *places, const char *store, const char *path)
{
	int at = places->count;

	if (access(path, R_OK) < 0)
		return;
	while (at > 0 && strverscmp(after_hash(store, path), after_hash(store, places->paths[at - 1])) > 0)
		at--;
	if (at == MAX_PLACES)
		return;
	if (places->count < MAX_PLACES)
		places->count++;
	memmove(places->paths[at + 1], places->paths[at], (size_t)(places->count - at - 1) * PATH_MAX);
	strcpy(places->paths[at], path);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);
	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* gcc-14.3.0-lib, gcc-14.3.0-libgcc, xgcc-14.3.0-libgcc; of Guix gcc-14.3.0-lib. */
static bool has_libgcc(const char *name)
{
	bool is_gcc = strncmp(name, "gcc-", 4) == 0 || strncmp(name, "xgcc-", 5) == 0;
	return is_gcc && (ends_with(name, "-lib") || ends_with(name, "-libgcc"));
}

static void search_store(
    const char *store, const char *name, struct places *loaders, struct places *libraries)
{
	char path[PATH_MAX];
	DIR *entries = opendir(store);
	struct dirent *each;

	for (unsigned seen = 0; entries != NULL && seen < MAX_ENTRIES; seen++) {
		if ((each = readdir(entries)) == NULL)
			break;
		if (strlen(each->d_name) <= HASH_LENGTH + 1 || each->d_name[HASH_LENGTH] != '-')
			continue;
		const char *package = each->d_name + HASH_LENGTH + 1;
		if (strncmp(package, "glibc-", 6) == 0) {
			if (snprintf(path, PATH_MAX, "%s/%s/lib/%s", store, each->d_name, name) < PATH_MAX)
				add_newest(loaders, store, path);
		} else if (has_libgcc(package)) {
			if (snprintf(path, PATH_MAX, "%s/%s/lib/libgcc_s.so.1", store, each->d_name) <
			    PATH_MAX)
				add_newest(libraries, store, path);
		}
	}
	if (entries != NULL)
		closedir(entries);
}

void places_list(const char *name, struct places *loaders, struct places *libraries)
{
	static struct places found_loaders, found_libraries;
	char path[PATH_MAX];

	add(loaders, getenv("NIX_LD"));
	add(loaders, NIX_LD_LINK);
	for (size_t at = 0; at < sizeof(PROGRAMS) / sizeof(*PROGRAMS); at++)
		/* Of another C library it is called otherwise. */
		if (elf_interpreter(PROGRAMS[at], path) && strcmp(base_name(path), name) == 0)
			add(loaders, path);
	for (size_t store = 0; store < sizeof(STORES) / sizeof(*STORES); store++) {
		found_loaders.count = found_libraries.count = 0;
		search_store(STORES[store], name, &found_loaders, &found_libraries);
		for (int at = 0; at < found_loaders.count; at++)
			add(loaders, found_loaders.paths[at]);
		for (int at = 0; at < found_libraries.count; at++) {
			*strrchr(found_libraries.paths[at], '/') = '\0';
			add(libraries, found_libraries.paths[at]);
		}
	}
}
