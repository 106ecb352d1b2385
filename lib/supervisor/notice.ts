/** What a supervisor tells of its services. @module */
import type { Line } from "../keeper/mod.ts";
import type { InstanceKind } from "./ledger.ts";
import type { ServiceState } from "./machine.ts";
import type { Trigger } from "./triggers.ts";

/** What others may want to know. */
export type Notice =
  /** It is one of the services from now on, or is none any more. */
  | { readonly kind: "came"; readonly service: string }
  | { readonly kind: "went"; readonly service: string }
  | { readonly kind: "state"; readonly service: string; readonly state: ServiceState }
  | { readonly kind: "line"; readonly service: string; readonly of: InstanceKind; readonly line: Line }
  /** More of a line that has not ended: a prompt, for example. */
  | { readonly kind: "part"; readonly service: string; readonly of: InstanceKind }
  /** Something about the service that it does not say itself; `trigger` when that starts or restarts it right now. */
  | {
    readonly kind: "event";
    readonly service: string;
    readonly of: InstanceKind;
    readonly text: string;
    readonly trigger?: Trigger;
  };
