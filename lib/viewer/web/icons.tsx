/** Line icons, drawn for 16 pixels. @module */
import type { JSX } from "preact";

const PATHS: Readonly<Record<string, string>> = {
  overview: "M2 2.5h5v5H2zM9 2.5h5v3H9zM9 8h5v5.5H9zM2 10h5v3.5H2z",
  cpu: "M4 4h8v8H4zM6.5 6.5h3v3h-3zM6 1.5V4M10 1.5V4M6 12v2.5M10 12v2.5M1.5 6H4M1.5 10H4M12 6h2.5M12 10h2.5",
  scheduler: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.8V8l2.2 1.6",
  syscall: "M2.5 3.5h11v9h-11zM5 6.5 7 8.3 5 10M8.5 10.2h2.5",
  blockio:
    "M2.5 4.2C2.5 3 5 2.3 8 2.3s5.5.7 5.5 1.9v7.6c0 1.2-2.5 1.9-5.5 1.9s-5.5-.7-5.5-1.9zM2.5 4.2C2.5 5.400 5 6 8 6s5.5-.6 5.500-1.800M2.500 8c0 1.200 2.500 1.900 5.500 1.900s5.500-.7 5.500-1.900",
  network:
    "M8 2.200v11.600M2.600 5h10.800M2.600 11h10.800M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 2C5.200 4 5.200 12 8 14M8 2c2.800 2 2.800 10 0 12",
  memory:
    "M1.800 4.500h12.400v6H1.800zM4.500 6.500v2M7 6.500v2M9.500 6.500v2M12 6.500v2M3.500 10.500v2M8 10.500v2M12.500 10.500v2",
  builds: "M8 1.500 14 4.800v6.400L8 14.500 2 11.200V4.800zM2 4.800l6 3.300 6-3.300M8 8.100v6.400",
  sun:
    "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1.200v1.600M8 13.200v1.600M1.200 8h1.600M13.200 8h1.600M3.200 3.200l1.100 1.100M11.700 11.700l1.100 1.100M12.800 3.200l-1.100 1.100M4.300 11.700l-1.100 1.100",
  moon: "M13.200 9.800A5.700 5.700 0 0 1 6.200 2.800a5.700 5.700 0 1 0 7 7z",
};

export function Icon({ name }: { name: string }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}
