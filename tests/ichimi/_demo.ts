/** Processes as somebody has them who works on something. @module */
import type { Site } from "./_site.ts";

/** Programs of a project, by their names. */
const SCRIPTS: Readonly<Record<string, string>> = {
  "dev-server": `
printf '\\033[32mVITE\\033[0m ready in 412 ms\\n\\n  Local: http://localhost:5173/\\n'
while :; do
  for page in / /login /api/items /api/items/42 /assets/app.css; do
    printf '\\033[36mGET\\033[0m %s \\033[32m200\\033[0m\\n' "$page"; sleep 0.7
  done
  echo 'warning: slow response: /api/search took 1240 ms' >&2
done`,
  worker: `i=0
while :; do
  i=$((i+1)); echo "job $i done"; j=0
  while [ $j -lt 60000 ]; do j=$((j+1)); done
  sleep 0.4
done`,
  database: "echo 'database system is ready to accept connections'; exec sleep 1000",
  tailwind: "while :; do echo 'Rebuilding... Done in 38ms.'; sleep 3; done",
  migrate: "echo 'connecting to db:5432'; echo 'error: connection refused (is it up?)' >&2; exit 3",
  build: "echo 'compiled 214 modules'",
  queue: "exec sleep 1000",
};

const SHOP = "/home/mika/shop";
/** What may be started where in the demo. */
export const DEMO_RULES = [
  { folder: SHOP, commands: ["npm run *", "docker compose up *"], unlisted: "ask" },
  { folder: "/home/mika/infra", commands: ["terraform plan"], unlisted: "refuse" },
] as const;

/** Makes processes, templates, snapshots and clips; some run. */
export async function makeDemo(site: Site): Promise<void> {
  const folder = `${site.world.folder}/shop`;
  Deno.mkdirSync(`${folder}/bin`, { recursive: true });
  for (const [name, script] of Object.entries(SCRIPTS)) {
    Deno.writeTextFileSync(`${folder}/bin/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  }
  const run = async (id: string, program: string, args: readonly string[], more: object = {}) => {
    const body = {
      id,
      command: `${folder}/bin/${program}`,
      args,
      auto_start_on_create: true,
      cwd: folder,
      ...more,
    };
    await site.ask("POST", "/processes", body);
  };
  await run("web", "dev-server", ["--port", "5173"], {
    tags: ["frontend"],
    restart: "on_failure",
    env: { NODE_ENV: "development", PORT: "5173" },
  });
  await run("worker", "worker", ["--queue", "mail"], { tags: ["backend"] });
  await run("db", "database", [], { tags: ["backend"], auto_start_on_restore: true });
  await run("tailwind", "tailwind", ["--watch"], { tags: ["frontend"] });
  await run("migrate", "migrate", ["--to", "latest"]);
  await run("build", "build", []);
  await site.ask("POST", "/processes", { id: "storybook", command: "npm", args: ["run", "storybook"] });
  await run("queue", "queue", []);
  await site.ask("POST", "/processes/queue/stop");
  await site.ask("POST", "/templates", {
    name: "Node service",
    command: "node",
    args: ["server.js", "--port", "{{port}}", "--env", "{{env}}"],
    category: "web",
    description: "One of the services, on a port of its own",
    tags: ["node"],
    variables: [
      { name: "port", description: "Where it listens", default_value: "3000" },
      { name: "env", description: "Which settings it reads", default_value: "development" },
    ],
  });
  await site.ask("POST", "/templates", {
    name: "Python worker",
    command: "python3",
    args: ["-m", "worker", "{{queue}}"],
    category: "jobs",
    description: "Takes jobs from a queue",
    tags: ["python", "queue"],
  });
  await site.ask("POST", "/snapshots", { name: "before the upgrade" });
  await site.ask("POST", "/snapshots", { name: "all services", format: "kdl" });
  await site.ask("POST", "/clipboard/text", {
    content: "curl -i http://localhost:5173/api/items",
    tags: ["try"],
  });
  await site.ask("POST", "/clipboard/file", {
    filename: "notes.md",
    content: "# To do\n\n- start the database first\n- then migrate, then web\n",
  });
  for (const line of ["make test", "node tools/migrate.js --to latest --seed development"]) {
    site.world.host.allowed.add({ folder: SHOP, line });
  }
}
