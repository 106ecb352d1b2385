/** Line icons, drawn for 16 pixels. @module */
import type { JSX } from "preact";

const PATHS = {
  dashboard: "M2.5 2.5h4.5v5h-4.5zM9 2.5h4.5v3H9zM9 8h4.5v5.5H9zM2.5 10h4.5v3.5h-4.5z",
  processes: "M2.5 3.5h11v9h-11zM5 6.5 7 8.3 5 10M8.5 10.2h2.5",
  templates: "M4 1.8h5.5L12.5 5v9.2H4zM9.3 1.8V5.2h3.2M6.2 8h4M6.2 10.8h4",
  snapshots: "M2 5h3l1.2-1.8h3.6L11 5h3v8H2zM8 6.6a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z",
  clipboard: "M5.5 3H3.5v11h9V3h-2M5.5 1.8h5v2.6h-5zM6 8h4M6 10.8h4",
  timeline: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.8V8l2.2 1.6",
  settings: "M2 4.5h6M12 4.5h2M10 2.8v3.4M2 11.5h2M8 11.5h6M6 9.8v3.4",
  start: "M5 3.2 12.5 8 5 12.8z",
  stop: "M4.2 4.2h7.6v7.6H4.2z",
  restart: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.9h-2.9",
  remove: "M3 4.5h10M6.2 4.5V2.8h3.6v1.7M4.5 4.5l.6 9h5.8l.6-9M6.7 7v4M9.3 7v4",
  edit: "M3 13l.6-2.8 7-7 2.2 2.2-7 7zM9.4 4.4l2.2 2.2",
  plus: "M8 3.2v9.6M3.2 8h9.6",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4zM10.2 10.2 13.5 13.5",
  close: "M4 4l8 8M12 4l-8 8",
  back: "M9.5 3.5 5 8l4.5 4.5",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.2h10",
  upload: "M8 10.5V3M4.8 6 8 2.8 11.2 6M3 13.2h10",
  restore: "M3 8a5 5 0 1 0 1.6-3.7M2.8 2.2v2.9h2.9M8 5.2V8l1.8 1.4",
  follow: "M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M4 13.5h8",
  wrap: "M2.5 4h11M2.5 8h8.5a2 2 0 0 1 0 4H8M9.5 10.3 7.8 12l1.7 1.7M2.5 12h2.5",
  clock: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.8V8l2.2 1.6",
  filter: "M2.5 3.5h11L9.5 8.5v4l-3-1.5V8.5z",
  check: "M3.5 8.5 6.5 11.5 12.5 4.8",
  alert: "M8 2.2 14 13H2zM8 6.5v3M8 11.3v.2",
  sun:
    "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1",
  moon: "M13.2 9.8A5.7 5.7 0 0 1 6.2 2.8a5.7 5.7 0 1 0 7 7z",
  globe: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM2 8h12M8 2C5.6 4.2 5.6 11.8 8 14M8 2c2.4 2.2 2.4 9.8 0 12",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The tool's own sign. */
export function Sign(): JSX.Element {
  return (
    <svg class="sign" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" />
      <path d="M9 10l5.5 6L9 22M17 22h7" />
    </svg>
  );
}
