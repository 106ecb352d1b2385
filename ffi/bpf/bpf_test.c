/*
 * What can be tested of the BPF shim without privileges (also under qemu-user), and with an object file as
 * argument and CAP_BPF the whole life of an object: set, choose, load, map, attach, close.
 */
#include "bpf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void garbage_is_refused_with_a_reason(void)
{
	char log[4096];
	struct hk_bpf *object = NULL;

	assert(hk_bpf_open("no object", 9, "garbage", NULL, &object) < 0);
	assert(object == NULL);
	assert(hk_bpf_take_log(log, sizeof(log)) > 0);
	assert(hk_bpf_take_log(log, sizeof(log)) == 0);
	hk_bpf_close(NULL);
}

static void *read_file(const char *path, uint64_t *bytes)
{
	FILE *file = fopen(path, "rb");
	char *data;

	assert(file);
	assert(fseek(file, 0, SEEK_END) == 0);
	*bytes = (uint64_t)ftell(file);
	rewind(file);
	data = malloc(*bytes);
	assert(data && fread(data, 1, *bytes, file) == *bytes);
	fclose(file);
	return data;
}

/* The object is tests/bpf/selftest.bpf.c: one program, `count`, an array `hits`, a constant `step`. */
static void an_object_lives_and_dies(const char *path, int may_load)
{
	struct hk_bpf *object = NULL;
	struct hk_bpf_map_info map;
	struct hk_bpf_program_info program;
	uint64_t bytes, step = 3;
	void *image = read_file(path, &bytes);

	assert(hk_bpf_open(image, bytes, "selftest", NULL, &object) == 0);
	free(image);
	assert(hk_bpf_set(object, "step", &step, sizeof(step)) == 0);
	assert(hk_bpf_set(object, "step", &step, 4) == -EMSGSIZE);
	assert(hk_bpf_set(object, "nothing", &step, sizeof(step)) == -ENOENT);
	assert(hk_bpf_resize(object, "hits", 100) == 0);
	assert(hk_bpf_resize(object, "nothing", 100) == -ENOENT);
	assert(hk_bpf_set_program(object, "nothing", 1) == -ENOENT);
	assert(hk_bpf_set_map(object, "nothing", 1) == -ENOENT);
	assert(hk_bpf_attach(object, "count") == -ENOENT);
	assert(hk_bpf_program(object, "count", &program) == -ENOENT);
	if (may_load) {
		assert(hk_bpf_load(object) == 0);
		assert(hk_bpf_map(object, "hits", 0, &map) == 0);
		assert(map.entries == 100 && map.value_bytes == 8 && map.address != 0);
		assert(hk_bpf_attach(object, "count") == 0);
		assert(hk_bpf_run_on(object, "count", 0, NULL, 0) == 0);
		assert(*(volatile uint64_t *)(uintptr_t)map.address >= step);
		assert(hk_bpf_program(object, "count", &program) == 0 && program.id != 0);
	}
	hk_bpf_close(object);
}

int main(int argc, char **argv)
{
	garbage_is_refused_with_a_reason();
	if (argc > 1)
		an_object_lives_and_dies(argv[1], argc > 2);
	puts("ok");
	return 0;
}
