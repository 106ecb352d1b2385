/*
 * Where the packed files lie unpacked. An entry is a folder named by the payload's key; it appears by one
 * rename, so that it is whole or not there, and it is compared with the packed file at every start.
 *
 * Nothing is ever run from a folder that another user could have written: the entry belongs to this user or
 * to root, nobody else may write it, and the same holds for every folder above it (sticky ones such as
 * /var/tmp excepted).
 */
#pragma once
#include <limits.h>
#include "payload.h"

/* Finds the entry of this payload or makes it, and writes its path. Blocks while another process unpacks the
 * same. Returns 0, or -1 after it told on standard error which folders were tried and why none would do. */
int cache_open(const struct payload *payload, char path[PATH_MAX]);
