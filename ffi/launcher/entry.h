/* One unpacked payload: making it and telling whether it is whole. */
#pragma once
#include "payload.h"

/* What the longest path inside an entry adds to the entry's own. */
#define ENTRY_PATH_ROOM 256

/* Whether every file of the payload stands in the entry with its mode, size and contents, unwritten since. */
bool entry_is_whole(const struct payload *payload, const char *path);

/* Unpacks the payload and puts it in place of what stands at path. The caller holds the lock. Returns 0 or
 * -errno. */
int entry_make(const struct payload *payload, const char *path);

/* Removes what stands at path; nothing there is fine. Returns 0 or -errno. */
int entry_remove(const char *path);
