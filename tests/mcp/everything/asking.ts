/** Tools and prompts of the fixture that ask the other side. */
import {
  type Answer,
  defineTool,
  object,
  type Prompt,
  type Question,
  string,
  type Tool,
  type ToolContext,
} from "../../../lib/mcp/mod.ts";

const ROOTS: Question = { method: "roots/list" };

/** A form with the given fields. */
function form(message: string, properties: Record<string, unknown>, required: string[]): Question {
  const requestedSchema = { type: "object", properties, required };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

/** A question for the client's model. */
function sample(text: string, maxTokens: number): Question {
  return {
    method: "sampling/createMessage",
    params: { messages: [{ role: "user", content: { type: "text", text } }], maxTokens },
  };
}

function nameForm(message: string): Question {
  return form(message, { name: { type: "string" } }, ["name"]);
}

function field(answer: Answer | undefined, name: string): string {
  const content = answer?.content;
  return String(
    typeof content === "object" && content !== null
      ? Object.entries(content).find(([key]) => key === name)?.[1]
      : "",
  );
}

function sampled(answer: Answer | undefined): string {
  return field(answer, "text");
}

function outcome(answer: Answer | undefined): string {
  return `action=${answer?.action}, content=${JSON.stringify(answer?.content ?? {})}`;
}

const CHOICES = ["option1", "option2", "option3"];
const titled = (prefix: string) =>
  ["One", "Two", "Three"].map((title, index) => ({
    const: `value${index + 1}`,
    title: `${prefix} ${title}`,
  }));

/** A tool without arguments that asks and says what came back. */
function asking(name: string, run: (context: ToolContext) => Promise<string>): Tool {
  return defineTool({
    name,
    description: `Asks the client (${name.replaceAll("_", " ")})`,
    annotations: { readOnlyHint: true },
    run: async (_, context) => ({ text: await run(context) }),
  });
}

export const ASKING_TOOLS: readonly Tool[] = [
  defineTool({
    name: "test_sampling",
    description: "Asks the client's model",
    annotations: { readOnlyHint: true },
    input: object({ prompt: string() }),
    run: async ({ prompt }, { ask }) => {
      const { answer } = await ask({ answer: sample(prompt, 100) });
      return { text: `LLM response: ${sampled(answer)}` };
    },
  }),
  defineTool({
    name: "test_elicitation",
    description: "Asks the person",
    annotations: { readOnlyHint: true },
    input: object({ message: string() }),
    run: async ({ message }, { ask }) => {
      const properties = {
        username: { type: "string", description: "User's response" },
        email: { type: "string", description: "User's email address" },
      };
      const { user } = await ask({ user: form(message, properties, ["username", "email"]) });
      return { text: `User response: ${outcome(user)}` };
    },
  }),
  asking("test_elicitation_sep1034_defaults", async ({ ask }) => {
    const { all } = await ask({
      all: form("Defaults of every kind", {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      }, []),
    });
    return `Elicitation completed: ${outcome(all)}`;
  }),
  asking("test_elicitation_sep1330_enums", async ({ ask }) => {
    const { all } = await ask({
      all: form("Choices of every kind", {
        untitledSingle: { type: "string", enum: CHOICES },
        titledSingle: { type: "string", oneOf: titled("Option") },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti: { type: "array", items: { type: "string", enum: CHOICES } },
        titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
      }, []),
    });
    return `Elicitation completed: ${outcome(all)}`;
  }),
  asking("test_input_required_result_elicitation", async ({ ask }) => {
    const { user_name } = await ask({ user_name: nameForm("What is your name?") });
    return `Hello, ${field(user_name, "name")}!`;
  }),
  asking("test_input_required_result_sampling", async ({ ask }) => {
    const { capital_question } = await ask({
      capital_question: sample("What is the capital of France?", 100),
    });
    return sampled(capital_question);
  }),
  asking("test_input_required_result_list_roots", async ({ ask }) => {
    const { client_roots } = await ask({ client_roots: ROOTS });
    return `Roots: ${JSON.stringify(client_roots?.roots)}`;
  }),
  asking("test_input_required_result_request_state", async ({ ask }) => {
    await ask({ confirm: form("Please confirm", { ok: { type: "boolean" } }, ["ok"]) });
    return "state-ok";
  }),
  asking("test_input_required_result_tampered_state", async ({ ask }) => {
    await ask({ confirm: form("Please confirm", { ok: { type: "boolean" } }, ["ok"]) });
    return "state-ok";
  }),
  asking("test_input_required_result_multiple_inputs", async ({ ask }) => {
    const { user_name, greeting, client_roots } = await ask({
      user_name: nameForm("What is your name?"),
      greeting: sample("Generate a greeting", 50),
      client_roots: ROOTS,
    });
    return `${sampled(greeting)} ${field(user_name, "name")}, ${JSON.stringify(client_roots?.roots)}`;
  }),
  asking("test_input_required_result_multi_round", async ({ ask }) => {
    const { step1 } = await ask({ step1: nameForm("Step 1: What is your name?") });
    const colour = form("Step 2: What is your favorite color?", { color: { type: "string" } }, ["color"]);
    const { step2 } = await ask({ step2: colour });
    return `${field(step1, "name")} likes ${field(step2, "color")}`;
  }),
  asking("test_input_required_result_capabilities", async ({ ask, clientCapabilities }) => {
    const questions: Record<string, Question> = {
      ...("elicitation" in clientCapabilities ? { user_name: nameForm("What is your name?") } : {}),
      ...("sampling" in clientCapabilities ? { greeting: sample("Generate a greeting", 50) } : {}),
    };
    return Object.keys(await ask(questions)).join(" ");
  }),
  asking(
    "test_missing_capability",
    async ({ ask }) => sampled((await ask({ needed: sample("Anything", 10) })).needed),
  ),
  asking("test_streaming_elicitation", async ({ ask, progress }) => {
    progress(1, 2);
    return outcome((await ask({ user: nameForm("What is your name?") })).user);
  }),
];

export const ASKING_PROMPT: Prompt = {
  name: "test_input_required_result_prompt",
  description: "Asks before it is written",
  messages: async (_, { ask }) => {
    const context = form("What context should the prompt use?", { context: { type: "string" } }, ["context"]);
    const { user_context } = await ask({ user_context: context });
    return [{ role: "user", content: { type: "text", text: `Context: ${field(user_context, "context")}` } }];
  },
};
