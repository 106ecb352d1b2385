/** The texts of the language that is shown. @module */
import { computed } from "@preact/signals";
import { language } from "./settings.ts";
import { EN } from "./words_en.ts";
import { JA } from "./words_ja.ts";

export const words = computed(() => language.value === "ja" ? JA : EN);
