/**
 * Browser bundles: each `lib/<feature>/web/main.tsx` becomes `web/<feature>.js`, and each `style.css` beside it
 * `web/<feature>.css`, behind what all pages share.
 * @module
 */
import { ASSETS, ROOT } from "./paths.ts";
import { exec, exists, type Step } from "./step.ts";

/** Style of all pages. */
const SHARED = "lib/web/page.css";

/** Features with a page, from the folders. */
export function webFeatures(): string[] {
  const features = [...Deno.readDirSync(`${ROOT}lib`)].filter((entry) => entry.isDirectory).map((entry) =>
    entry.name
  );
  return features.filter((feature) => exists(`${ROOT}lib/${feature}/web/main.tsx`)).sort();
}

/** Steps that bundle every page. */
export function webSteps(): Step[] {
  return webFeatures().map((feature) => {
    const folder = `lib/${feature}/web`;
    const script = `${ASSETS}web/${feature}.js`;
    const style = `${ASSETS}web/${feature}.css`;
    const args = [
      "bundle",
      "--quiet",
      "--minify",
      "--platform",
      "browser",
      "-o",
      script,
      `${ROOT}${folder}/main.tsx`,
    ];
    return {
      name: `web/${feature}`,
      inputs: [folder, SHARED, "deno.json"],
      outputs: [script, style],
      recipe: args.join(" "),
      run: async () => {
        await exec(Deno.execPath(), args, { cwd: ROOT });
        const styles = [SHARED, `${folder}/style.css`].map((path) => Deno.readTextFile(ROOT + path));
        await Deno.writeTextFile(style, (await Promise.all(styles)).join(""));
      },
    };
  });
}
