/*
 * How the runtime is started: it is a dynamic executable, and not every system has glibc's loader where such
 * ones look for it. NixOS and Guix have it in their store, Alpine has another C library.
 *
 * What starts is found by trying: `deno --version`, straight and then through each loader that is at hand,
 * alone and with folders of libraries. What did is written into the entry, so that later starts try nothing.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>

/* Folders of libraries, separated by colons. */
#define LIBRARIES_SIZE (4 * PATH_MAX)

struct loader {
	/* The loader is called with the runtime as its argument; else the kernel finds it by itself. */
	bool called;
	/* Without links in it: another one in the same place is another loader. */
	char path[PATH_MAX];
	/* Where it looks for libraries first; empty: where it does by itself. */
	char libraries[LIBRARIES_SIZE];
};

/* Finds what starts `program`, which lies in the folder `entry`. $HOSTKIT_LOADER names the one loader to use,
 * $HOSTKIT_LIBRARY_PATH folders for it. Returns false after it told on standard error, in the name of `tool`,
 * what was tried and what can be done. */
bool loader_choose(const char *tool, const char *entry, const char *program, struct loader *loader);
