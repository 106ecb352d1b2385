/*
 * Cgroups by the id of their CPU controller's state, which is small and dense: an index into arrays.
 *
 * An id is given out again when its cgroup is gone; the serial number is not. Each object that counts by
 * cgroup keeps its own table; user space compares serial numbers (published last) and reads the names of the
 * new ones.
 */
#ifndef HOSTKIT_CGROUP_BPF_H
#define HOSTKIT_CGROUP_BPF_H

#include "core.bpf.h"

/* Ids beyond are counted in the totals of the host only. */
#define MAX_CGROUPS 4096

/* The id of the root's state: the first that is given out. */
#define ROOT_CGROUP 1

/* Path components that are kept, from the leaf upwards; a deeper path is told as cut, and so is a longer
 * name. Those that container run times give have up to 85 characters: cri-containerd-, 64 digits, .scope. */
#define CGROUP_DEPTH 6
#define CGROUP_NAME_BYTES 96

struct cgroup_names {
	u64 level;
	char names[CGROUP_DEPTH][CGROUP_NAME_BYTES];
};

MAPPED(cgroup_serials, u64, MAX_CGROUPS);
MAPPED(cgroups, struct cgroup_names, MAX_CGROUPS);

ALWAYS_INLINE struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___renamed *renamed = (void *)node;

	if (bpf_core_field_exists(renamed->__parent))
		return BPF_CORE_READ(renamed, __parent);
	return BPF_CORE_READ(node, parent);
}

/* Writes the names of a cgroup seen for the first time; the serial number last, as the sign that they are
 * whole. */
static __attribute__((noinline)) int cgroup_describe(struct task_group *group, u32 id)
{
	struct cgroup_names *entry = bpf_map_lookup_elem(&cgroups, &id);
	u64 *serial = bpf_map_lookup_elem(&cgroup_serials, &id);
	struct kernfs_node *node;
	int depth;

	if (!group || !entry || !serial)
		return 0;
	node = BPF_CORE_READ(group, css.cgroup, kn);
	entry->level = (u64)BPF_CORE_READ(group, css.cgroup, level);
	for (depth = 0; depth < CGROUP_DEPTH; depth++) {
		entry->names[depth][0] = 0;
		if (node) {
			bpf_probe_read_kernel_str(
			    entry->names[depth], CGROUP_NAME_BYTES, BPF_CORE_READ(node, name));
			node = kernfs_parent(node);
		}
	}
	*serial = BPF_CORE_READ(group, css.serial_nr);
	return 0;
}

/*
 * Id of the task's cgroup, 0 when it has none or one beyond the table. Describes a cgroup that is new;
 * `reused` tells that its counters are those of another one, which had the id before.
 *
 * With autogroups a session's tasks in the root cgroup are scheduled by a group without a cgroup: they are
 * the root's.
 */
ALWAYS_INLINE u32 cgroup_of_task(bool typed, struct task_struct *task, bool *reused)
{
	struct task_group *group;
	u64 serial, *known;
	u32 id;

	*reused = false;
	if (!bpf_core_field_exists(task->sched_task_group))
		return 0;
	group = GET(typed, task, sched_task_group);
	if (!group)
		return 0;
	id = (u32)GET(typed, group, css.id);
	if (id >= MAX_CGROUPS)
		return 0;
	if (!id)
		return ROOT_CGROUP;
	known = bpf_map_lookup_elem(&cgroup_serials, &id);
	serial = GET(typed, group, css.serial_nr);
	if (known && *known != serial) {
		*reused = *known != 0;
		cgroup_describe(group, id);
	}
	return id;
}

#endif
