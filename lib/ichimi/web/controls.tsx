/** Parts that all pages use: buttons, fields, badges, dialogs. @module */
import { type Signal, signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { hide, toasts } from "./api.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { Phase } from "./phase.ts";
import { toneOf } from "./phase.ts";
import { words } from "./words.ts";

/** A button with a text, or with an icon alone and a name for those who do not see it. */
export function Button(
  { icon, label, iconOnly = false, kind = "", onClick, disabled = false, pressed, submits = false }: {
    icon?: IconName;
    label: string;
    iconOnly?: boolean;
    kind?: "" | "main" | "quiet" | "danger";
    onClick?: (event: MouseEvent) => void;
    disabled?: boolean;
    pressed?: boolean;
    submits?: boolean;
  },
) {
  return (
    <button
      type={submits ? "submit" : "button"}
      class={`button ${kind} ${iconOnly ? "icon-only" : ""}`}
      aria-label={iconOnly ? label : undefined}
      title={iconOnly ? label : undefined}
      aria-pressed={pressed}
      disabled={disabled}
      {...onClick === undefined ? {} : { onClick }}
    >
      {icon !== undefined && <Icon name={icon} />}
      {!iconOnly && <span>{label}</span>}
    </button>
  );
}

/** A button that is on or off. */
export function Toggle(
  { value, ...button }: {
    value: Signal<boolean>;
    icon: IconName;
    label: string;
    iconOnly?: boolean;
    kind?: "quiet";
  },
) {
  return <Button {...button} pressed={value.value} onClick={() => value.value = !value.value} />;
}

/** One of several, side by side. */
export function Segments<T extends string>(
  { label, options, value, choose }: {
    label: string;
    options: readonly { readonly value: T; readonly text: string; readonly count?: number }[];
    value: T;
    choose: (value: T) => void;
  },
) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((each) => (
        <button
          type="button"
          key={each.value}
          aria-pressed={each.value === value}
          onClick={() => choose(each.value)}
        >
          {each.text}
          {each.count !== undefined && <b>{each.count}</b>}
        </button>
      ))}
    </div>
  );
}

/** A field with its name above it. */
export function Field(
  { label, help, value, lines, mono = false, required = false, choices, disabled = false }: {
    label: string;
    help?: string;
    value: Signal<string>;
    lines?: number;
    mono?: boolean;
    required?: boolean;
    choices?: readonly { readonly value: string; readonly text: string }[];
    disabled?: boolean;
  },
) {
  const id = useId();
  const shared = {
    id,
    class: mono ? "mono" : "",
    required,
    disabled,
    spellcheck: false,
    "aria-describedby": help === undefined ? undefined : `${id}-help`,
    value: value.value,
    onInput: (event: JSX.TargetedEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => {
      value.value = event.currentTarget.value;
    },
  };
  return (
    <div class="field">
      <label for={id}>
        {label}
        {required && <i aria-hidden="true">*</i>}
      </label>
      {choices !== undefined
        ? (
          <select {...shared}>
            {choices.map((each) => <option key={each.value} value={each.value}>{each.text}</option>)}
          </select>
        )
        : lines === undefined
        ? <input type="text" autocomplete="off" {...shared} />
        : <textarea rows={lines} {...shared} />}
      {help !== undefined && <small id={`${id}-help`}>{help}</small>}
    </div>
  );
}

export function Check({ label, value }: { label: string; value: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        onInput={(event) => value.value = event.currentTarget.checked}
      />
      <span>{label}</span>
    </label>
  );
}

/** What a process is doing. */
export function Badge({ phase }: { phase: Phase }) {
  return (
    <span class={`badge ${toneOf(phase)}`}>
      <i class="dot" />
      {words.value.phases[phase]}
    </span>
  );
}

/** Where there is nothing to show. */
export function Empty(
  { icon, title, more, children }: {
    icon: IconName;
    title: string;
    more?: string;
    children?: ComponentChildren;
  },
) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <b>{title}</b>
      {more !== undefined && <p>{more}</p>}
      {children}
    </div>
  );
}

/** A window over the page; the browser keeps the focus in it and closes it on Escape. */
export function Dialog(
  { title, wide = false, onClose, children }: {
    title: string;
    wide?: boolean;
    onClose: () => void;
    children: ComponentChildren;
  },
) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("input:not([disabled]), textarea, select, .main")?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onClose={onClose}
      onMouseDown={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          <Button
            icon="close"
            label={words.value.close}
            iconOnly
            kind="quiet"
            onClick={() => dialog.current?.close()}
          />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly isDanger: boolean;
  readonly option?: { readonly label: string; readonly value: Signal<boolean> };
  readonly answer: (isYes: boolean) => void;
}

const question = signal<Question | undefined>(undefined);

/** Asks the person; resolves with whether they want it. */
export function confirmed(
  { title, text, action, isDanger = true, option }: {
    readonly title: string;
    readonly text: string;
    readonly action: string;
    readonly isDanger?: boolean;
    readonly option?: { readonly label: string; readonly value: Signal<boolean> };
  },
): Promise<boolean> {
  return new Promise((answer) => {
    question.value = { title, text, action, isDanger, answer, ...option === undefined ? {} : { option } };
  });
}

export function Questions() {
  const asked = question.value;
  if (asked === undefined) return null;
  const end = (isYes: boolean) => {
    question.value = undefined;
    asked.answer(isYes);
  };
  return (
    <Dialog title={asked.title} onClose={() => end(false)}>
      <p class="question">{asked.text}</p>
      {asked.option !== undefined && <Check label={asked.option.label} value={asked.option.value} />}
      <footer>
        <Button label={words.value.cancel} onClick={() => end(false)} />
        <Button label={asked.action} kind={asked.isDanger ? "danger" : "main"} onClick={() => end(true)} />
      </footer>
    </Dialog>
  );
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.number} class={`toast ${toast.kind}`}>
          <Icon name={toast.kind === "good" ? "check" : "alert"} />
          <span>{toast.text}</span>
          <Button
            icon="close"
            label={words.value.close}
            iconOnly
            kind="quiet"
            onClick={() => hide(toast)}
          />
        </div>
      ))}
    </div>
  );
}

/** Copies a text, and says so. */
export function CopyButton({ text, onCopied }: { text: string; onCopied: () => void }) {
  return (
    <Button
      icon="copy"
      label={words.value.copy}
      iconOnly
      kind="quiet"
      onClick={() => void navigator.clipboard.writeText(text).then(onCopied)}
    />
  );
}
