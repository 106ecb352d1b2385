/*
 * BPF objects: open from memory, set constants, choose programs, load, attach, map arrays, read statistics.
 *
 * A thin face of libbpf that TypeScript can call: names instead of pointers, caller-owned buffers, -errno.
 * Memory: an object is made by hk_bpf_open and freed by hk_bpf_close; everything else borrows. Strings are
 * NUL terminated. Threads: one thread per object; libbpf's print function is process-wide, its text is kept
 * per thread and taken with hk_bpf_take_log. Only hk_bpf_load can take long (tens of milliseconds: the
 * verifier).
 */
#ifndef HOSTKIT_BPF_H
#define HOSTKIT_BPF_H

#include "../export.h"

struct hk_bpf;

/* What hk_bpf_program reports: all u64, so that TypeScript reads one array. */
struct hk_bpf_program_info {
	uint64_t id;
	uint64_t run_count;    /* 0 unless kernel.bpf_stats_enabled */
	uint64_t run_ns;       /* 0 unless kernel.bpf_stats_enabled */
	uint64_t instructions; /* verified, before JIT */
};

/* What hk_bpf_map reports. */
struct hk_bpf_map_info {
	uint64_t address;     /* of the mapping; 0 when the map is not mappable */
	uint64_t bytes;       /* of the mapping */
	uint64_t value_bytes; /* distance of two entries in the mapping */
	uint64_t entries;
	uint64_t locked_bytes; /* kernel memory, as /proc/self/fdinfo accounts it */
};

/* Opens an object image; btf_path may be NULL (the kernel's own BTF). The image may be freed afterwards. */
HK_EXPORT int hk_bpf_open(
    const void *image, uint64_t bytes, const char *name, const char *btf_path, struct hk_bpf **out);

/* Sets a `const volatile` variable before load. -ENOENT no such variable, -EMSGSIZE it has another size. */
HK_EXPORT int hk_bpf_set(struct hk_bpf *object, const char *variable, const void *value, uint32_t bytes);

/* Number of entries of a map, before load. */
HK_EXPORT int hk_bpf_resize(struct hk_bpf *object, const char *map, uint32_t entries);

/* Whether a program will be loaded / a map be made; both before load. */
HK_EXPORT int hk_bpf_set_program(struct hk_bpf *object, const char *program, int load);
HK_EXPORT int hk_bpf_set_map(struct hk_bpf *object, const char *map, int make);

/* Verifies and loads all chosen programs. Blocks for the time of the verifier. */
HK_EXPORT int hk_bpf_load(struct hk_bpf *object);

/* Attaches one loaded program to the hook that its section names. The link lives until hk_bpf_close. */
HK_EXPORT int hk_bpf_attach(struct hk_bpf *object, const char *program);

/* Maps an array into memory (once) and describes it. Read-only unless writable is set. */
HK_EXPORT int hk_bpf_map(struct hk_bpf *object, const char *map, int writable, struct hk_bpf_map_info *out);

/*
 * Writes the name of map number `index` (not terminated) and returns its length; 0 for one that was not made,
 * -ENOENT behind the last.
 */
HK_EXPORT int hk_bpf_map_name(struct hk_bpf *object, uint32_t index, char *buffer, uint32_t bytes);

/* Writes one entry of any map. */
HK_EXPORT int hk_bpf_update(struct hk_bpf *object, const char *map, const void *key, const void *value);

/* Pushes count u32 values into a queue map; returns how many it took. */
HK_EXPORT int hk_bpf_push(struct hk_bpf *object, const char *map, const uint32_t *values, uint32_t count);

HK_EXPORT int hk_bpf_program(struct hk_bpf *object, const char *program, struct hk_bpf_program_info *out);

/*
 * Runs a raw_tp program once on a CPU, interrupting what runs there, with `count` values as its context.
 * -ENXIO: the CPU is offline; -524 (ENOTSUPP): the kernel cannot (before Linux 5.10).
 */
HK_EXPORT int hk_bpf_run_on(
    struct hk_bpf *object, const char *program, uint32_t cpu, const uint64_t *context, uint32_t count);

/* Moves libbpf's text since the last call into the buffer, cut to it; returns its length. */
HK_EXPORT int hk_bpf_take_log(char *buffer, uint32_t bytes);

/* Detaches, unmaps and frees. The kernel frees programs a little later, after an RCU grace period. */
HK_EXPORT void hk_bpf_close(struct hk_bpf *object);

#endif
