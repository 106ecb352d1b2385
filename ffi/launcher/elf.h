/* What the kernel reads of an executable to start it. */
#pragma once
#include <limits.h>
#include <stdbool.h>

/* Reads which loader starts the executable. Returns false for one that needs none, and for what is none of
 * this machine's word size. */
bool elf_interpreter(const char *path, char interpreter[PATH_MAX]);
