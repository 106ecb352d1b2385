#include "bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More programs or maps than any object of ours has; a greater number is refused when it is opened. */
#define MAX_LINKS 64
#define MAX_MAPS 64

/* The last of what libbpf says is kept: the verifier's verdict stands at the end of its log. */
#define LOG_BYTES 16384

struct mapping {
	const struct bpf_map *map;
	void *address;
	size_t bytes;
};

struct hk_bpf {
	struct bpf_object *object;
	struct bpf_link *links[MAX_LINKS];
	uint32_t link_count;
	struct mapping mappings[MAX_MAPS];
	uint32_t mapping_count;
};

static __thread char log_text[LOG_BYTES];
static __thread size_t log_bytes;

/* Keeps the last LOG_BYTES of what libbpf says: the reason for a refusal stands at the end, also of the
 * verifier's log, which comes as one text of any length. */
static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;
	int length;
	size_t bytes, drop;

	if (level == LIBBPF_DEBUG)
		return 0;
	length = vasprintf(&text, format, args);
	if (length < 0)
		return 0;
	bytes = (size_t)length < LOG_BYTES ? (size_t)length : LOG_BYTES;
	drop = log_bytes + bytes > LOG_BYTES ? log_bytes + bytes - LOG_BYTES : 0;
	log_bytes -= drop;
	memmove(log_text, log_text + drop, log_bytes);
	memcpy(log_text + log_bytes, text + ((size_t)length - bytes), bytes);
	log_bytes += bytes;
	free(text);
	return length;
}

int hk_bpf_take_log(char *buffer, uint32_t bytes)
{
	size_t length = log_bytes < bytes ? log_bytes : bytes;

	memcpy(buffer, log_text + (log_bytes - length), length);
	log_bytes = 0;
	return (int)length;
}

int hk_bpf_open(
    const void *image, uint64_t bytes, const char *name, const char *btf_path, struct hk_bpf **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = btf_path);
	struct hk_bpf *self;

	libbpf_set_print(keep_log);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->object = bpf_object__open_mem(image, bytes, &options);
	if (!self->object) {
		int error = -errno;

		free(self);
		return error;
	}
	*out = self;
	return 0;
}

int hk_bpf_set(struct hk_bpf *self, const char *variable, const void *value, uint32_t bytes)
{
	const struct btf *btf = bpf_object__btf(self->object);
	struct bpf_map *map = bpf_object__find_map_by_name(self->object, ".rodata");
	const struct btf_type *section;
	const struct btf_var_secinfo *info;
	size_t section_bytes = 0;
	char *start;
	int id, i;

	if (!map) /* libbpf prefixes the map's name with the object's */
		bpf_object__for_each_map(map, self->object) if (strstr(bpf_map__name(map), ".rodata")) break;
	id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	if (!map || id < 0)
		return -ENOENT;
	start = (char *)bpf_map__initial_value(map, &section_bytes);
	section = btf__type_by_id(btf, (uint32_t)id);
	info = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++, info++) {
		const struct btf_type *var = btf__type_by_id(btf, info->type);

		if (strcmp(btf__name_by_offset(btf, var->name_off), variable) != 0)
			continue;
		if (info->size != bytes || !start || info->offset + bytes > section_bytes)
			return -EMSGSIZE;
		memcpy(start + info->offset, value, bytes);
		return 0;
	}
	return -ENOENT;
}

int hk_bpf_resize(struct hk_bpf *self, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(self->object, name);

	return map ? bpf_map__set_max_entries(map, entries) : -ENOENT;
}

int hk_bpf_set_program(struct hk_bpf *self, const char *name, int load)
{
	struct bpf_program *program = bpf_object__find_program_by_name(self->object, name);

	return program ? bpf_program__set_autoload(program, load != 0) : -ENOENT;
}

int hk_bpf_set_map(struct hk_bpf *self, const char *name, int make)
{
	struct bpf_map *map = bpf_object__find_map_by_name(self->object, name);

	return map ? bpf_map__set_autocreate(map, make != 0) : -ENOENT;
}

int hk_bpf_load(struct hk_bpf *self)
{
	int error = bpf_object__load(self->object);

	/* libbpf has parsed the kernel's whole BTF, tens of megabytes that are free again. */
	malloc_trim(0);
	return error;
}

int hk_bpf_attach(struct hk_bpf *self, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(self->object, name);
	struct bpf_link *link;

	if (!program || bpf_program__fd(program) < 0)
		return -ENOENT;
	if (self->link_count == MAX_LINKS)
		return -ENOSPC;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	self->links[self->link_count++] = link;
	return 0;
}

/* Kernel memory of a map, in the unit and with the meaning of RLIMIT_MEMLOCK; 0 when it is not told. */
static uint64_t locked_bytes(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

/* The mapping of `map`, made on first use; NULL with errno set. Array values lie 8-byte aligned in a row. */
static struct mapping *map_once(struct hk_bpf *self, const struct bpf_map *map, int writable)
{
	struct mapping *mapping;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = (bpf_map__value_size(map) + 7) & ~(size_t)7;
	uint32_t i;

	for (i = 0; i < self->mapping_count; i++)
		if (self->mappings[i].map == map)
			return &self->mappings[i];
	if (self->mapping_count == MAX_MAPS) {
		errno = ENOSPC;
		return NULL;
	}
	mapping = &self->mappings[self->mapping_count];
	mapping->bytes = (stride * bpf_map__max_entries(map) + page - 1) & ~(page - 1);
	mapping->address = mmap(NULL, mapping->bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
	    MAP_SHARED, bpf_map__fd(map), 0);
	if (mapping->address == MAP_FAILED)
		return NULL;
	mapping->map = map;
	self->mapping_count++;
	return mapping;
}

int hk_bpf_map(struct hk_bpf *self, const char *name, int writable, struct hk_bpf_map_info *out)
{
	struct bpf_map *map = bpf_object__find_map_by_name(self->object, name);
	struct mapping *mapping;

	if (!map || bpf_map__fd(map) < 0)
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->entries = bpf_map__max_entries(map);
	out->value_bytes = (bpf_map__value_size(map) + 7) & ~7u;
	out->locked_bytes = locked_bytes(bpf_map__fd(map));
	if (!(bpf_map__map_flags(map) & BPF_F_MMAPABLE))
		return 0;
	mapping = map_once(self, map, writable);
	if (!mapping)
		return -errno;
	out->address = (uint64_t)(uintptr_t)mapping->address;
	out->bytes = mapping->bytes;
	return 0;
}

int hk_bpf_map_name(struct hk_bpf *self, uint32_t index, char *buffer, uint32_t bytes)
{
	struct bpf_map *map;
	uint32_t at = 0;

	bpf_object__for_each_map(map, self->object)
	{
		size_t length = strlen(bpf_map__name(map));

		if (at++ != index)
			continue;
		if (bpf_map__fd(map) < 0)
			return 0;
		if (length > bytes)
			return -EMSGSIZE;
		memcpy(buffer, bpf_map__name(map), length);
		return (int)length;
	}
	return -ENOENT;
}

int hk_bpf_update(struct hk_bpf *self, const char *name, const void *key, const void *value)
{
	int fd = bpf_object__find_map_fd_by_name(self->object, name);

	if (fd < 0)
		return -ENOENT;
	return bpf_map_update_elem(fd, key, value, BPF_ANY) ? -errno : 0;
}

int hk_bpf_push(struct hk_bpf *self, const char *name, const uint32_t *values, uint32_t count)
{
	int fd = bpf_object__find_map_fd_by_name(self->object, name);
	uint32_t i;

	if (fd < 0)
		return -ENOENT;
	for (i = 0; i < count; i++)
		if (bpf_map_update_elem(fd, NULL, &values[i], BPF_ANY))
			break;
	return (int)i;
}

int hk_bpf_program(struct hk_bpf *self, const char *name, struct hk_bpf_program_info *out)
{
	struct bpf_program *program = bpf_object__find_program_by_name(self->object, name);
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	if (!program || bpf_program__fd(program) < 0)
		return -ENOENT;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes))
		return -errno;
	out->id = info.id;
	out->run_count = info.run_cnt;
	out->run_ns = info.run_time_ns;
	out->instructions = info.verified_insns;
	return 0;
}

int hk_bpf_run_on(
    struct hk_bpf *self, const char *name, uint32_t cpu, const uint64_t *context, uint32_t count)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu,
	    .ctx_in = count ? context : NULL, .ctx_size_in = count * (uint32_t)sizeof(*context));
	struct bpf_program *program = bpf_object__find_program_by_name(self->object, name);

	if (!program || bpf_program__fd(program) < 0)
		return -ENOENT;
	return bpf_prog_test_run_opts(bpf_program__fd(program), &options) ? -errno : 0;
}

void hk_bpf_close(struct hk_bpf *self)
{
	uint32_t i;

	if (!self)
		return;
	for (i = 0; i < self->link_count; i++)
		bpf_link__destroy(self->links[i]);
	for (i = 0; i < self->mapping_count; i++)
		munmap(self->mappings[i].address, self->mappings[i].bytes);
	bpf_object__close(self->object);
	free(self);
}
