/** `{{.NAME}}` in process-compose files: the simple form of its templates. Pure. @module */
import { isTable } from "./keys.ts";

const PLACE = /\{\{-?\s*\.([A-Za-z_]\w*)\s*-?\}\}/g;

/** A copy in which all texts have the places of known variables filled in; the others stay as they are. */
export function fillTemplates(value: unknown, vars: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === "string") {
    return value.replaceAll(PLACE, (place, name) => {
      const found = Object.hasOwn(vars, name) ? vars[name] : undefined;
      return ["string", "number", "boolean"].includes(typeof found) ? String(found) : place;
    });
  }
  if (Array.isArray(value)) return value.map((each) => fillTemplates(each, vars));
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fillTemplates(each, vars)]));
}

/** The first place that was not filled in. */
export function openTemplate(value: unknown): string | undefined {
  if (typeof value === "string") return /\{\{.*?\}\}/s.exec(value)?.[0];
  if (Array.isArray(value)) return value.map(openTemplate).find((each) => each !== undefined);
  return isTable(value) ? openTemplate(Object.values(value)) : undefined;
}
