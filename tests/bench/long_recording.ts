/**
 * A long recording made of a short one: its ticks again and again, later each time, counters going on from where they
 * were. Written in seconds by our own encoder, where recording it would take as long as it is.
 * @module
 */
import { openRecording } from "../../lib/recording/mod.ts";
import { type ColumnData, encodeArrowSchema } from "../../lib/recording/parquet/mod.ts";
import { createRez, insertRecording, insertSegment, markComplete } from "../../lib/recording/rez_db.ts";
import { encodeSegment } from "../../lib/recording/segment.ts";
import type { RecordedTable, TablePart } from "../../lib/recording/table.ts";

/** Writes the sealed `.rez` at `from` `times` times over, each `lengthNs` after the one before, to `to`. */
export function repeatRecording(
  from: string,
  to: string,
  { times, lengthNs }: { times: number; lengthNs: bigint },
): void {
  using source = openRecording(from);
  using db = createRez(to);
  const startNs = source.tables[0]!.timestampNs(0);
  const id = insertRecording(db, source.labels, source.metadata, startNs);
  for (const table of source.tables) {
    const growth = growthOf(table);
    const arrowSchema = encodeArrowSchema(table.parts[0]!.fields);
    const columns = table.parts.map((part) => part.fields.map((_, place) => part.read(place)));
    for (let time = 0; time < times; time++) {
      const laterNs = BigInt(time) * lengthNs;
      table.parts.forEach((part, index) => {
        const read = (place: number): ColumnData => {
          const data = columns[index]![place]!;
          return place === table.columns[0]!.places[index]
            ? added(data, wordsOf(laterNs), 1)
            : added(data, growth.get(place)!, time);
        };
        const { firstNs, lastNs } = part.span!;
        insertSegment(db, id, {
          table: table.name,
          rowCount: part.rowCount,
          firstNs: firstNs + laterNs,
          lastNs: lastNs + laterNs,
          bytes: encodeSegment({ rowCount: part.rowCount, fields: part.fields, read }),
          arrowSchema,
          wallOffsetNs: 0n,
        });
      });
    }
  }
  markComplete(db, id);
}

/** By what each column grows over the recording, by its place in the parts: the last value of what only counts up. */
function growthOf(table: RecordedTable): Map<number, Uint32Array> {
  const last: TablePart = table.parts.at(-1)!;
  return new Map(table.columns.map(({ role, places }) => {
    const place = places.at(-1)!;
    const { words, rowCount, offsets } = last.read(place);
    if (role.kind === "histogram") return [place, words.slice(2 * offsets![rowCount - 1]!)];
    const counts = role.kind === "number" && role.series.type === "counter";
    return [place, counts ? words.slice(2 * rowCount - 2) : new Uint32Array(2)];
  }));
}

/** Adds `count` times what is in `growth` to each value, or to the elements of each list in turn. */
function added(data: ColumnData, growth: Uint32Array, count: number): ColumnData {
  const words = new Uint32Array(data.words.length);
  for (let at = 0, of = 0; at < words.length; at += 2, of = of + 2 === growth.length ? 0 : of + 2) {
    const low = data.words[at]! + growth[of]! * count;
    words[at] = low;
    words[at + 1] = data.words[at + 1]! + growth[of + 1]! * count + Math.floor(low / 2 ** 32);
  }
  return { ...data, words };
}

function wordsOf(value: bigint): Uint32Array {
  return Uint32Array.of(Number(value & 0xffff_ffffn), Number(value >> 32n));
}
