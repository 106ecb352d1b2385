/** Theme and language: what the person has chosen, kept by the daemon, or what system and browser have. @module */
import { computed, effect, signal } from "@preact/signals";
import { ask } from "./api.ts";

export const THEMES = ["system", "light", "dark"] as const;
export const LANGUAGES = ["system", "en", "ja"] as const;
export type ThemeChoice = (typeof THEMES)[number];
export type LanguageChoice = (typeof LANGUAGES)[number];

interface Begin {
  readonly version: string;
  readonly settings: { readonly color_mode: ThemeChoice; readonly language: LanguageChoice };
}

/** What stands in the page as it was sent. */
export const begin: Begin = JSON.parse(document.querySelector<HTMLMetaElement>("meta[name=begin]")!.content);

export const themeChoice = signal<ThemeChoice>(begin.settings.color_mode);
export const languageChoice = signal<LanguageChoice>(begin.settings.language);

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(darkSystem.matches);
darkSystem.addEventListener("change", ({ matches }) => systemDark.value = matches);

export const theme = computed<"light" | "dark">(() =>
  themeChoice.value === "system" ? (systemDark.value ? "dark" : "light") : themeChoice.value
);
export const language = computed<"en" | "ja">(() =>
  languageChoice.value === "system"
    ? (navigator.languages.find((each) => /^(en|ja)\b/.test(each))?.startsWith("ja") ? "ja" : "en")
    : languageChoice.value
);

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.lang = language.value;
});

export function chooseTheme(chosen: ThemeChoice): void {
  themeChoice.value = chosen;
  void ask("PUT", "/settings", { color_mode: chosen });
}

export function chooseLanguage(chosen: LanguageChoice): void {
  languageChoice.value = chosen;
  void ask("PUT", "/settings", { language: chosen });
}

/** The other of both. */
export function toggleTheme(): void {
  chooseTheme(theme.value === "dark" ? "light" : "dark");
}

/** The other of both. */
export function toggleLanguage(): void {
  chooseLanguage(language.value === "ja" ? "en" : "ja");
}
