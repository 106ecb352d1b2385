/**
 * The stack of this machine: its services (`stack.ts`) and the board that shows them (`board.ts`). Running them is
 * `lib/supervisor`'s.
 * @module
 */
export { Board, boardLines, type Row } from "./board.ts";
export { type StackOptions, type StackService, stackServices } from "./stack.ts";
