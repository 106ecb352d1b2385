/** Tries to open the state that another process has. @module */
import { ICHIMI_CONFIG, IchimiHost, policyOf } from "../../lib/ichimi/mod.ts";
import { defaults } from "../../lib/config/mod.ts";

const policy = policyOf(defaults(ICHIMI_CONFIG));
IchimiHost.open({ stateFolder: Deno.args[0]!, policy, logMib: 1 });
