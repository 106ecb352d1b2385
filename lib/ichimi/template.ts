/** Templates: processes with gaps, to be made many times. Pure. @module */
import type { ProcessRecord } from "./record.ts";

/** A gap of a template. */
export interface TemplateVariable {
  readonly name: string;
  readonly description: string | null;
  /** Taken where nothing is given. */
  readonly default_value: string | null;
  readonly required: boolean;
}

/** Under upstream's names, as it goes over the wire. */
export interface Template {
  readonly template_id: string;
  /** Unique. */
  readonly name: string;
  readonly description: string | null;
  readonly category: string | null;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly default_cwd: string | null;
  readonly default_auto_start: boolean;
  readonly variables: readonly TemplateVariable[];
  readonly tags: readonly string[];
  /** RFC 3339. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** What a template is made of, or changed in. */
export type TemplateFields = Omit<Template, "template_id" | "created_at" | "updated_at">;

/** What has nothing but its name and command. */
export const EMPTY_TEMPLATE: Omit<TemplateFields, "name" | "command"> = {
  description: null,
  category: null,
  args: [],
  env: {},
  default_cwd: null,
  default_auto_start: false,
  variables: [],
  tags: [],
};

type Maybe<T> = { readonly [Name in keyof T]?: T[Name] | null | undefined };

/** What a client says of a template: what is left out or null stays as it is. */
export interface GivenFields extends Maybe<Omit<TemplateFields, "variables">> {
  readonly variables?:
    | readonly (Pick<TemplateVariable, "name"> & Maybe<TemplateVariable>)[]
    | null
    | undefined;
}

/** Of these an empty text is none. */
const MAY_BE_NONE: ReadonlySet<string> = new Set(["description", "category", "default_cwd"]);

/** The fields that a client has given. */
export function templateFields({ variables, ...rest }: GivenFields): Partial<TemplateFields> {
  const all = {
    ...rest,
    variables: variables?.map(({ name, description, default_value, required }) => ({
      name,
      description: description ?? null,
      default_value: default_value ?? null,
      required: required ?? true,
    })),
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    given.map(([name, value]) => [name, value === "" && MAY_BE_NONE.has(name) ? null : value]),
  );
}

/** What a template cannot be filled with. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const GAP = /\{\{\s*([^{}\s]+)\s*\}\}/g;

/**
 * Fills the gaps `{{name}}` of command, arguments, environment and folder.
 * @throws {TemplateError} Naming what is missing, or what there is no gap for.
 */
export function filled(
  template: Template,
  values: Readonly<Record<string, string>>,
): Pick<ProcessRecord, "command" | "args" | "env" | "cwd"> {
  const known = new Map(template.variables.map((variable) => [variable.name, variable]));
  const used = new Set<string>();
  const fill = (text: string) =>
    text.replaceAll(GAP, (_, name: string) => {
      used.add(name);
      const value = Object.hasOwn(values, name) ? values[name] : known.get(name)?.default_value;
      if (value !== undefined && value !== null) return value;
      // A gap that nobody has described is needed too: nothing could stand in its place.
      if (known.get(name)?.required === false) return "";
      throw new TemplateError(`Required variable '${name}' is missing`);
    });
  const { command, args, env, default_cwd: cwd } = template;
  const made = {
    command: fill(command),
    args: args.map(fill),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
    cwd: cwd === null ? null : fill(cwd),
  };
  for (const { name, required, default_value } of template.variables) {
    if (required && default_value === null && !Object.hasOwn(values, name)) {
      throw new TemplateError(`Required variable '${name}' is missing`);
    }
  }
  const odd = Object.keys(values).find((name) => !used.has(name) && !known.has(name));
  if (odd !== undefined) {
    const names = [...new Set([...known.keys(), ...used])].join(", ");
    throw new TemplateError(
      `Template '${template.name}' has no variable '${odd}'${names && ` (there are: ${names})`}`,
    );
  }
  return made;
}
