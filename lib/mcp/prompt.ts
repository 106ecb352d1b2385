/** What a prompt is: a text with holes that a person picks in a client. @module */
import type { ContentBlock, ToolContext } from "./tool.ts";

/** A hole of a prompt. */
export interface PromptArgument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
}

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: "user" | "assistant";
  readonly content: ContentBlock;
}

/** One prompt. */
export interface Prompt {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly PromptArgument[];
  /** Called with all required arguments there. */
  messages(
    values: Readonly<Record<string, string>>,
    context: ToolContext,
  ): readonly PromptMessage[] | Promise<readonly PromptMessage[]>;
  /** Proposals for a half-typed argument. */
  complete?(argument: string, typed: string): readonly string[] | Promise<readonly string[]>;
}
