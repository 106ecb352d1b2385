/** Upstream's recordings beside the checkout, where they are present. @module */

const FOLDER = new URL("../../../shared/testdata/rezolus/", import.meta.url);

/** Names of the recordings that tests read. */
export const SAMPLES = ["demo", "simple_capture", "AB_base", "AB_level"] as const;

/** True when the recordings are there; tests that need them are skipped by name when not. */
export const SAMPLES_PRESENT = SAMPLES.every((name) => {
  try {
    return Deno.statSync(samplePath(name)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
});

/** Returns the path of a recording. */
export function samplePath(name: string): string {
  return new URL(`${name}.parquet`, FOLDER).pathname;
}
