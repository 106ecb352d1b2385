/** What the person chooses, and where programs come in. @module */
import { AllowedCard } from "./allowed.tsx";
import { Segments } from "./controls.tsx";
import { bytesText, spanText } from "./format.ts";
import { KeyList } from "./key_list.tsx";
import {
  begin,
  chooseLanguage,
  chooseTheme,
  languageChoice,
  LANGUAGES,
  themeChoice,
  THEMES,
} from "./settings.ts";
import { daemonStartMs, managerMemory, now } from "./state.ts";
import { words } from "./words.ts";

export function SettingsPage() {
  const w = words.value;
  return (
    <>
      <header class="top">
        <h1>{w.pages.settings}</h1>
      </header>
      <div class="columns settings">
        <div>
          <section class="card">
            <header>
              <h2>{w.appearance}</h2>
            </header>
            <div class="setting">
              <span>{w.theme}</span>
              <Segments
                label={w.theme}
                value={themeChoice.value}
                choose={chooseTheme}
                options={THEMES.map((value) => ({ value, text: w.themes[value] }))}
              />
            </div>
            <div class="setting">
              <span>{w.language}</span>
              <Segments
                label={w.language}
                value={languageChoice.value}
                choose={chooseLanguage}
                options={LANGUAGES.map((value) => ({ value, text: w.languages[value] }))}
              />
            </div>
          </section>
          <section class="card">
            <header>
              <h2>{w.about}</h2>
            </header>
            <dl class="facts">
              <div>
                <dt>{w.version}</dt>
                <dd>{begin.version}</dd>
              </div>
              <div>
                <dt>{w.uptime}</dt>
                <dd>{spanText(now.value - daemonStartMs.value)}</dd>
              </div>
              <div>
                <dt>{w.memory}</dt>
                <dd>{bytesText(managerMemory.value || null)}</dd>
              </div>
              <div>
                <dt>{w.mcp}</dt>
                <dd>
                  <code>{location.origin}/mcp</code>
                </dd>
              </div>
              <div>
                <dt>{w.api}</dt>
                <dd>
                  <code>{location.origin}/api</code>{" "}
                  <a href="/api/openapi.json" target="_blank" rel="noopener">{w.apiMore}</a>
                </dd>
              </div>
            </dl>
          </section>
          <AllowedCard />
        </div>
        <section class="card">
          <header>
            <h2>{w.help}</h2>
          </header>
          <KeyList />
        </section>
      </div>
    </>
  );
}
