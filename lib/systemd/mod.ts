/**
 * systemd as a service sees it: sockets that it passes, and what it wants to hear (`service_manager.ts`). Units are written
 * by who has one.
 * @module
 */
export { ServiceManager } from "./service_manager.ts";
