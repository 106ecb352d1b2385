/** A dialog with a form: what is refused is said in it, and it stays open. @module */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { ApiError } from "./api.ts";
import { Button, Dialog } from "./controls.tsx";
import { words } from "./words.ts";

export function FormDialog(
  { title, action, send, done, onClose, wide = false, children }: {
    title: string;
    /** On the button. */
    action: string;
    /** @throws {ApiError} */
    send: () => Promise<unknown>;
    /** What follows when it is closed. */
    done: () => void | Promise<void>;
    onClose: () => void;
    wide?: boolean;
    children: ComponentChildren;
  },
) {
  const problem = useSignal<string | undefined>(undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await send();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.value = error.message;
      return;
    }
    onClose();
    await done();
  };
  return (
    <Dialog title={title} wide={wide} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        {problem.value !== undefined && <p class="problem" role="alert">{problem.value}</p>}
        <footer>
          <Button label={words.value.cancel} onClick={onClose} />
          <Button label={action} kind="main" submits />
        </footer>
      </form>
    </Dialog>
  );
}
