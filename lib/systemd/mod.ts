/**
 * systemd as a service sees it: sockets that it passes, and what it wants to hear (`service_manager.ts`). What units
 * are made of (`unit_text.ts`) and where a user has them (`user_units.ts`); what is in one is said by who has it.
 * @module
 */
export { ServiceManager } from "./service_manager.ts";
export { checkUnit, keepingService, type UnitParts, unitSpecifiers } from "./unit_text.ts";
export { lastingCommand, type Unit, UserUnits } from "./user_units.ts";
