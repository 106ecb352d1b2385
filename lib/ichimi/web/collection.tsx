/** A page of things that people make: how to make one, and those that there are. @module */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Button, Empty } from "./controls.tsx";
import { pageKeys } from "./keys.ts";
import { words } from "./words.ts";

export function Collection<T>(
  { page, texts, items, load, create, tools, children }: {
    page: "templates" | "snapshots";
    texts: { readonly create: string; readonly none: string; readonly noneMore: string };
    /** Undefined until they are known. */
    items: readonly T[] | undefined;
    load: () => Promise<void>;
    create: () => void;
    tools?: ComponentChildren;
    children: (items: readonly T[]) => ComponentChildren;
  },
) {
  useEffect(() => {
    void load();
    pageKeys.value = { create };
    return () => pageKeys.value = {};
  }, []);
  const button = <Button icon="plus" label={texts.create} kind="main" onClick={create} />;
  return (
    <>
      <header class="top">
        <h1>{words.value.pages[page]}</h1>
        <div class="tools">
          {tools}
          {button}
        </div>
      </header>
      {items?.length === 0
        ? <Empty icon={page} title={texts.none} more={texts.noneMore}>{button}</Empty>
        : items && children(items)}
    </>
  );
}
