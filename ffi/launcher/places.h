/* Where a loader of glibc, and libraries for it, stand on systems that have none at the usual place. */
#pragma once
#include <limits.h>

/* Further ones are left out: each costs a try. */
#define MAX_PLACES 8

struct places {
	char paths[MAX_PLACES][PATH_MAX];
	int count;
};

/* Lists loaders called `name`, the likeliest first: those that $NIX_LD and nix-ld's own link name, those that
 * start the programs that do run here, then the newest of the Nix and Guix stores. Of the stores also folders
 * with libgcc_s.so.1, newest first. */
void places_list(const char *name, struct places *loaders, struct places *libraries);
