/** The drivers of a node, by one suite. */
import { MACHINE_CLOCK } from "../../lib/cluster/mod.ts";
import {
  MemoryDriver,
  MemoryMachine,
  openMicrovmDriver,
  openProcessDriver,
  tinyGuest,
} from "../../lib/cluster/drivers/mod.ts";
import { HAS_MICROVM, leftIn, ownerOf, ticking, tickingGuest } from "./_drivers.ts";
import { type DriverKind, driverSuite } from "./driver_suite.ts";
import { instanceOf } from "./_model.ts";

const machines = new Map<string, MemoryMachine>();

const MEMORY: DriverKind = {
  name: "memory",
  open(folder) {
    const machine = machines.get(folder) ?? new MemoryMachine();
    machines.set(folder, machine);
    return Promise.resolve(new MemoryDriver({ kind: "process", clock: MACHINE_CLOCK, machine }));
  },
  instance: (id, epoch) => instanceOf(id, { placement: { node: "n", epoch } }),
  ticks: false,
  end(driver, { id }, how) {
    (driver as MemoryDriver).endRun(id, how === "well" ? 0 : 1);
    return Promise.resolve();
  },
  left: () => [],
};

driverSuite(MEMORY);

driverSuite({
  name: "process",
  open: (folder) => openProcessDriver({ folder, owner: ownerOf(folder) }),
  instance: ticking,
  ticks: true,
  end: (driver, identity, how) =>
    driver.input(identity, new TextEncoder().encode(how === "well" ? "q" : "x")),
  left: leftIn,
});

driverSuite({
  name: "microvm (needs QEMU on x86_64)",
  ignore: !HAS_MICROVM,
  open: (folder) =>
    openMicrovmDriver({ folder, owner: ownerOf(folder), image: () => Promise.resolve(tinyGuest()) }),
  instance: tickingGuest,
  ticks: true,
  end: (driver, identity, how) =>
    driver.input(identity, new TextEncoder().encode(how === "well" ? "q" : "x")),
  left: leftIn,
});
