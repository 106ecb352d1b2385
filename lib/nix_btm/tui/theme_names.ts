/** Names of themes, for command lines too. Pure. @module */

/** The terminal's own colours, light or dark as it is; or such as are the same everywhere. */
export const THEMES = ["terminal", "gruvbox-dark", "gruvbox-light", "nord"] as const;
export type ThemeName = typeof THEMES[number];
