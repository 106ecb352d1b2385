/* Starting the runtime to see whether it starts. */
#pragma once
#include "loader.h"

#define REASON_SIZE 512

/* Runs `program --version`. Blocks until it ends, at most some seconds. Returns false and the first line that
 * was said when it does not exit with 0. */
bool trial_starts(const char *program, const struct loader *loader, char reason[REASON_SIZE]);
