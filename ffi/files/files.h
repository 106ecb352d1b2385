/*
 * Small files and folders of the kernel (/proc, /sys), each in one call.
 *
 * The runtime lets programs read these only with all permissions; a tool that has the narrow right to call
 * this library needs no more. Nothing is kept open; buffers are the caller's. Does not block on kernel files.
 */
#ifndef HOSTKIT_FILES_H
#define HOSTKIT_FILES_H

#include "../export.h"

/* Reads a file from its beginning into the buffer. Returns the bytes read; the file may go on when it is
 * full. */
HK_EXPORT int64_t hk_files_read(const char *path, void *buffer, uint64_t bytes);

/* Writes the names in a folder, each ended by NUL, without "." and "..". Returns the bytes written, -ERANGE
 * when they do not fit. */
HK_EXPORT int64_t hk_files_list(const char *path, char *buffer, uint64_t bytes);

/* Writes where a symbolic link leads, without NUL. Returns its bytes, -ERANGE when they do not fit. */
HK_EXPORT int64_t hk_files_link(const char *path, char *buffer, uint64_t bytes);

/* 1 when something stands at the path, 0 when not, another -errno when that cannot be told. */
HK_EXPORT int hk_files_exist(const char *path);

/* Replaces the content of a kernel file by the bytes, in one write. */
HK_EXPORT int64_t hk_files_write(const char *path, const void *data, uint64_t bytes);

/* Makes a folder that its owner alone may write. Returns 0, or -errno. */
HK_EXPORT int hk_files_make_folder(const char *path);

/* Removes an empty folder; a cgroup has files, and is empty when nothing is in it. Returns 0, or -errno. */
HK_EXPORT int hk_files_remove_folder(const char *path);

#endif
