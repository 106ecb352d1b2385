/** Forgets instances of which nothing is left: with their name, their place and what they counted. @module */
import type { Instance, InstanceStatus } from "../model/instance.ts";
import type { Keys } from "../model/keys.ts";
import type { Allocation } from "../model/node.ts";
import { amountsOf, counted, type Quota } from "../model/project.ts";
import type { Condition, Entry, Store, Write } from "../store/store.ts";

/** Whether an instance can be forgotten: it is to be, and nothing of its newest placement is there any more. */
export function isOver(instance: Instance, status: InstanceStatus | undefined): boolean {
  if (!instance.isDeleting) return false;
  return instance.placement === null ||
    (status?.epoch === instance.placement.epoch && status.phase === "gone");
}

/**
 * Forgets an instance in one transaction; false when it is another one by now, or what it counted in: then it is looked
 * at again.
 */
export async function reap(
  store: Pick<Store, "get" | "commit">,
  keys: Keys,
  id: string,
): Promise<boolean> {
  const [entry, status] = await Promise.all([store.get(keys.instance(id)), store.get(keys.status(id))]);
  if (entry === undefined) return true;
  const instance: Instance = JSON.parse(entry.value);
  if (!isOver(instance, status && JSON.parse(status.value))) return false;
  const when: Condition[] = [unchanged(entry)];
  const then: Write[] = [
    { delete: keys.instance(id) },
    { delete: keys.status(id) },
    { delete: keys.name(instance.project, instance.name) },
  ];
  const quota = await store.get(keys.quota(instance.project));
  if (quota !== undefined) {
    const less = counted(JSON.parse(quota.value) as Quota, amountsOf(instance), -1);
    when.push(unchanged(quota));
    then.push({ put: quota.key, value: JSON.stringify(less) });
  }
  if (instance.placement !== null) {
    const { node } = instance.placement;
    then.push({ delete: keys.placed(node, id) });
    const allocation = await store.get(keys.allocation(node));
    if (allocation !== undefined) {
      const { [id]: _, ...others } = (JSON.parse(allocation.value) as Allocation).instances;
      when.push(unchanged(allocation));
      then.push({
        put: allocation.key,
        value: JSON.stringify({ node, instances: others } satisfies Allocation),
      });
    }
  }
  return (await store.commit({ when, then })).ok;
}

function unchanged({ key, revision }: Entry): Condition {
  return { key, revision };
}
