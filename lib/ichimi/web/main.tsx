/** The page of the console. @module */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { effect } from "@preact/signals";
import { render } from "preact";
import { Clipboard } from "./clipboard.tsx";
import { Questions, Toasts } from "./controls.tsx";
import { Dashboard } from "./dashboard.tsx";
import { bindKeys } from "./keys.ts";
import { connect } from "./live.ts";
import { ProcessPage } from "./process.tsx";
import { Processes } from "./processes.tsx";
import { SettingsPage } from "./settings_page.tsx";
import { Help, Sidebar } from "./shell.tsx";
import { Snapshots } from "./snapshots.tsx";
import { connection, page, place } from "./state.ts";
import { Templates } from "./templates.tsx";
import { Timeline } from "./timeline.tsx";
import { words } from "./words.ts";

function App() {
  return (
    <>
      <a class="skip" href="#content" onClick={focusContent}>{words.value.skip}</a>
      <Sidebar />
      <main id="content" tabIndex={-1}>
        {connection.value === "connecting" ? null : <PageContent />}
      </main>
      <Help />
      <Questions />
      <Toasts />
    </>
  );
}

function PageContent() {
  const { page, item } = place.value;
  switch (page) {
    case "dashboard":
      return <Dashboard />;
    case "processes":
      return item === undefined ? <Processes /> : <ProcessPage key={item} id={item} />;
    case "templates":
      return <Templates />;
    case "snapshots":
      return <Snapshots />;
    case "clipboard":
      return <Clipboard />;
    case "timeline":
      return <Timeline />;
    case "settings":
      return <SettingsPage />;
    default:
      return page satisfies never;
  }
}

function focusContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

bindKeys();
effect(() => {
  const { item } = place.value;
  document.title = `${item ?? words.value.pages[page.value]} · ichimi`;
});
render(<App />, document.getElementById("app")!);
// For tests: resolves when everything is there.
Object.assign(globalThis, { hostkit: { ready: connect() } });
