/** The official Inspector as a client of the front end: it lists and calls every tool of every set. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { TOOLSET_NAMES } from "../../lib/ichimi/mod.ts";
import { denoDir, runPackage } from "../mcp/outside_tools.ts";
import { Home } from "./_front.ts";

/** Arguments with which each tool is called, and what its answer must contain; those between two stages in any order. */
const STAGES: readonly (readonly (readonly [tool: string, args: readonly string[], contains: RegExp])[])[] = [
  [
    ["echo", ["message=hello"], /Echo: hello/],
    ["ping", [], /pong/],
    ["get_status", [], /Status: running/],
    [
      "create_process",
      ["id=web", "command=sh", 'args=["-c","echo ready; exec cat"]', "input=pipe"],
      /created successfully/,
    ],
    ["create_template", ["name=t", "command=sleep", 'args=["{{s}}"]'], /template_id/],
    ["list_ci_runs", [], /gh command|runs/],
    ["get_ci_run_details", ["run_id=1"], /gh command|run/],
    ["get_ci_failed_logs", ["run_id=1"], /gh command|run/],
    ["wait_for_ci_completion", ["run_id=1", "timeout_secs=1"], /gh command|run/],
    ["start_ci_monitoring", ["poll_interval=3600"], /monitoring started with 3600s/],
    ["get_suggestions", [], /No suggestions/],
    ["set_clipboard_text", ["content=hello"], /"hello|\\"hello/],
    ["open_web_console", [], /token=/],
  ],
  [
    ["start_process", ["id=web"], /started with PID/],
    ["get_clipboard", [], /hello/],
    ["update_template", ["id=t", "description=naps"], /naps/],
    ["create_snapshot", [], /Snapshot created/],
    ["list_templates", [], /"t/],
    ["get_template", ["id=t"], /sleep/],
  ],
  [
    ["get_process_status", ["id=web"], /Running/],
    ["wait", ["process=web", "pattern=ready"], /ready/],
    ["get_process_output", ["id=web", "stream=Both"], /ready/],
    ["list_processes", [], /"web/],
    ["read_logs", ["max_tokens=100"], /cursor: /],
    ["search_logs", ["process=web", "pattern=read"], /\* ready/],
    ["send", ["process=web", "text=hello"], /Sent 5 characters to 'web'/],
    ["usage", [], /memoryBytes/],
    ["explain", ["process=web"], /Process 'web' is/],
    [
      "create_process_from_template",
      ["template_id=t", "process_id=nap", 'variables={"s":"9"}'],
      /from template 't'/,
    ],
  ],
  [
    ["restart_process", ["id=web"], /PID/],
  ],
  [
    ["stop_process", ["id=web"], /stopped successfully/],
    ["delete_template", ["id=t"], /deleted successfully/],
  ],
  [
    ["update_process", ["id=web", "command=/bin/true"], /updated: command/],
    ["update_process_config", ["id=web", "auto_start_on_restore=false"], /configuration updated/],
    ["export_processes", ["file_path=out.json"], /exported successfully/],
    ["export_yaml", ["file_path=out.yaml"], /exported to YAML/],
    ["create_formatted_snapshot", ["file_path=out.kdl", "format=kdl"], /format: Kdl/],
  ],
  [
    ["import_processes", ["file_path=out.json"], /imported successfully/],
  ],
  [
    ["import_yaml", ["file_path=out.yaml"], /imported successfully from YAML/],
  ],
  [
    ["restore_snapshot", [], /Snapshot restored/],
  ],
  [
    ["remove_process", ["id=web"], /removed successfully/],
  ],
];

Deno.test("the Inspector lists and calls every tool over standard input and output", async () => {
  await using home = new Home();
  const target = [
    ...toolCommand("ichimi-server"),
    ...["--toolsets", TOOLSET_NAMES.join(",")],
    ...["-e", `DENO_DIR=${denoDir()}`, "-e", `XDG_STATE_HOME=${home.env.XDG_STATE_HOME}`],
  ];
  const inspect = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await runPackage("inspector", ["--cli", ...target, ...args], {
      cwd: `${home.folder}/project`,
    });
    return stdout + stderr;
  };
  const list = await inspect("--method", "tools/list");
  ok(list.startsWith("{"), `the Inspector did not run: ${list.slice(-1000)}`);
  const { tools }: { tools: { name: string }[] } = JSON.parse(list);
  deepStrictEqual(tools.map(({ name }) => name).sort(), STAGES.flat().map(([name]) => name).sort());
  for (const stage of STAGES) {
    await Promise.all(stage.map(async ([name, args, contains]) => {
      const given = args.flatMap((each) => ["--tool-arg", each]);
      match(await inspect("--method", "tools/call", "--tool-name", name, ...given), contains, name);
    }));
  }
});
