/** What is around the pages: navigation, theme, language, help. @module */
import { Button, Dialog } from "./controls.tsx";
import { Icon, Sign } from "./icons.tsx";
import { KeyList } from "./key_list.tsx";
import { groupOf } from "./phase.ts";
import { begin, language, theme, toggleLanguage, toggleTheme } from "./settings.ts";
import { addressOf, connection, helpOpen, page, PAGES, processes } from "./state.ts";
import { words } from "./words.ts";

export function Sidebar() {
  const w = words.value;
  return (
    <nav class="sidebar" aria-label={w.navigation}>
      <a class="brand" href={addressOf("dashboard")}>
        <Sign />
        <span>ichimi</span>
      </a>
      <ul>
        {PAGES.map((each, index) => (
          <li key={each}>
            <a href={addressOf(each)} aria-current={each === page.value ? "page" : undefined}>
              <Icon name={each} />
              <span>{w.pages[each]}</span>
              {each === "processes" ? <FailedCount /> : <kbd>{index + 1}</kbd>}
            </a>
          </li>
        ))}
      </ul>
      <footer>
        <Connection />
        <div class="switches">
          <Button
            icon={theme.value === "dark" ? "sun" : "moon"}
            label={w.theme}
            iconOnly
            kind="quiet"
            onClick={toggleTheme}
          />
          <button
            type="button"
            class="button quiet language"
            lang={language.value === "ja" ? "en" : "ja"}
            title={w.language}
            onClick={toggleLanguage}
          >
            {language.value === "ja" ? "English" : "日本語"}
          </button>
          <button
            type="button"
            class="button quiet"
            aria-label={w.help}
            title={`${w.help} (?)`}
            onClick={() => helpOpen.value = true}
          >
            ?
          </button>
        </div>
      </footer>
    </nav>
  );
}

/** Next to the processes, how many have failed; otherwise the key. */
function FailedCount() {
  const count = processes.value.filter(({ live }) => groupOf(live.value) === "failed").length;
  return count === 0 ? <kbd>2</kbd> : <b class="count bad">{count}</b>;
}

function Connection() {
  const w = words.value;
  const text = connection.value === "live" ? w.live : connection.value === "lost" ? w.lost : w.connecting;
  return (
    <div class="connection" role="status" title={`${w.version} ${begin.version}`}>
      <i class={`dot ${connection.value}`} />
      <span>{text}</span>
    </div>
  );
}

export function Help() {
  if (!helpOpen.value) return null;
  const w = words.value;
  return (
    <Dialog title={w.help} onClose={() => helpOpen.value = false}>
      <KeyList />
    </Dialog>
  );
}
