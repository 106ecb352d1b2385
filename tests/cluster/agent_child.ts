/** An agent to be killed: has instances of both drivers, and in one mode makes and deletes them without end. @module */
import { openMicrovmDriver, openProcessDriver, tinyGuest } from "../../lib/cluster/drivers/mod.ts";
import { HAS_MICROVM, ownerOf, ticking, tickingGuest, waiting } from "./_drivers.ts";
import { heard } from "./driver_suite.ts";

const [folder = "", mode = "steady"] = Deno.args;

/** Opens both, each in its part of a folder. */
export async function openBoth(folder: string) {
  const options = (part: string) => ({ folder: `${folder}/${part}`, owner: ownerOf(`${folder}/${part}`) });
  const image = () => Promise.resolve(tinyGuest());
  return {
    process: await openProcessDriver(options("process")),
    microvm: await openMicrovmDriver({ ...options("microvm"), image }),
  };
}

async function steady(): Promise<void> {
  const { process, microvm } = await openBoth(folder);
  const kinds = [
    [process, ticking] as const,
    ...(HAS_MICROVM ? [[microvm, tickingGuest] as const] : []),
  ];
  for (const [driver, instance] of kinds) {
    for (const id of ["runs", "paused", "ends"]) {
      const identity = { id, epoch: 7 };
      const isWaiting = id === "ends" && driver === process;
      await driver.create(isWaiting ? waiting(id, 7, `${folder}/end`) : instance(id, 7));
      await driver.start(identity);
      if (!isWaiting) await heard(driver, identity, /^tick 1$/m);
      if (id === "paused") await driver.pause(identity);
    }
    await driver.create(instance("created", 7));
  }
}

/** Whatever it is at when it is killed, the next one has to put right. */
async function restless(): Promise<void> {
  const { process, microvm } = await openBoth(folder);
  const again = async (driver: typeof process | typeof microvm, at: number) => {
    const left = driver.list().find(({ id }) => id === `i${at}`);
    if (left !== undefined) await driver.delete(left);
    for (let epoch = (left?.epoch ?? 0) + 1;; epoch++) {
      const identity = { id: `i${at}`, epoch };
      await driver.delete({ ...identity, epoch: epoch - 1 });
      await driver.create((driver === process ? ticking : tickingGuest)(identity.id, epoch));
      await driver.start(identity);
      if (epoch % 3 === 0) await driver.pause(identity);
      if (epoch % 2 === 0) await driver.stop(identity, 50);
    }
  };
  const work = [again(process, 0), again(process, 1), ...(HAS_MICROVM ? [again(microvm, 2)] : [])];
  console.log("up");
  await Promise.all(work);
}

if (import.meta.main) {
  if (mode === "restless") await restless();
  await steady();
  console.log("up");
  // Until it is killed.
  await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
}
