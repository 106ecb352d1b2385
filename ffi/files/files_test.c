/* Reads, lists and looks for kernel files; also where there are none. */
#include "files.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	char buffer[4096];
	int64_t bytes;

	bytes = hk_files_read("/proc/self/comm", buffer, sizeof(buffer));
	assert(bytes > 1 && buffer[bytes - 1] == '\n');
	assert(hk_files_read("/proc/self/comm", buffer, 2) == 2);
	assert(hk_files_read("/proc/nothing", buffer, sizeof(buffer)) == -ENOENT);
	assert(hk_files_read("/proc", buffer, sizeof(buffer)) == -EISDIR);

	bytes = hk_files_list("/proc/self/fdinfo", buffer, sizeof(buffer));
	assert(bytes > 0 && buffer[bytes - 1] == 0);
	assert(hk_files_list("/proc", buffer, 4) == -ERANGE);
	assert(hk_files_list("/proc/self/comm", buffer, sizeof(buffer)) == -ENOTDIR);

	assert(hk_files_exist("/proc/self/comm") == 1);
	assert(hk_files_exist("/proc/nothing") == 0);
	assert(hk_files_exist("/proc/self/comm/x") == 0);

	assert(hk_files_write("/proc/self/comm", "renamed", 7) == 7);
	bytes = hk_files_read("/proc/self/comm", buffer, sizeof(buffer));
	assert(bytes == 8 && memcmp(buffer, "renamed\n", 8) == 0);
	assert(hk_files_write("/proc/nothing", "x", 1) == -ENOENT);

	char folder[] = "/tmp/files_test-XXXXXX";

	assert(mkdtemp(folder) == folder);
	assert(hk_files_make_folder(folder) == -EEXIST);
	assert(hk_files_remove_folder(folder) == 0);
	assert(hk_files_exist(folder) == 0);
	assert(hk_files_remove_folder(folder) == -ENOENT);
	assert(hk_files_make_folder(folder) == 0);
	assert(hk_files_exist(folder) == 1);
	assert(hk_files_remove_folder(folder) == 0);
	puts("ok");
	return 0;
}
