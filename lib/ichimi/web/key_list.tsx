/** What keys do. @module */
import { KEYS } from "./keys.ts";
import { words } from "./words.ts";

export function KeyList() {
  return (
    <dl class="keys">
      {KEYS.map(({ show, does }) => (
        <div key={does}>
          <dt>{show.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
          <dd>{words.value.keys[does]}</dd>
        </div>
      ))}
    </dl>
  );
}
