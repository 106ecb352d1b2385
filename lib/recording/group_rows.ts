/**
 * Rows of one group that are not sealed yet, shown as columns: what a segment is made of, and what a reader sees of a
 * journal's tail. Histograms stay encoded until their column is asked for.
 *
 * A member whose labels change, or whose histogram changes its layout, gets a new column `<name>#2`, as upstream has it
 * (metriken-segment, `builder.rs`), so that no value is filed under another's labels.
 * @module
 */
import { type Hash128, histogramLayout, MsgpackReader, type Schema, type Window } from "../metrics/mod.ts";
import { type RowPowers, scanGroupRow, type ScannedRow } from "./group_row.ts";
import type { ArrowField, ColumnData } from "./parquet/mod.ts";
import type { TablePart } from "./table.ts";

type MemberKind = keyof Schema;

interface Member {
  readonly kind: MemberKind;
  readonly entryName: string;
  readonly identity: string;
  readonly columnName: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Known from the first value on. */
  powers: RowPowers | undefined;
}

/** Where a row has the value of each member among its positions, −1 where it has none. */
type RowLayout = Int32Array;

interface StoredRow {
  readonly timestampNs: bigint;
  readonly wallOffsetNs: bigint;
  readonly window: Window | undefined;
  readonly layout: RowLayout;
  /** Where the row's bytes begin among all rows'. */
  readonly start: number;
  readonly positions: Uint32Array;
}

/** Columns that come before the members'. */
const LEADING: readonly ArrowField[] = [
  {
    name: "timestamp",
    type: "u64",
    nullable: false,
    metadata: { metric_type: "timestamp", unit: "nanoseconds" },
  },
  { name: ":wall_offset", type: "i64", nullable: true, metadata: {} },
  { name: ":window_begin", type: "i64", nullable: true, metadata: {} },
  { name: ":window_width", type: "u64", nullable: true, metadata: {} },
];

const METRIC_TYPE = { counters: "counter", gauges: "gauge", histograms: "histogram" } as const;

/** Rows of one group. Reading is for when all are added. */
export class GroupRows implements TablePart {
  readonly #rows: StoredRow[] = [];
  readonly #members: Member[] = [];
  readonly #memberByIdentity = new Map<string, Member[]>();
  readonly #columnNames = new Set<string>();
  readonly #layouts = new Map<string, RowLayout>();
  #anchor: { readonly hash: Hash128; readonly schema: Schema } | undefined;
  #fields: readonly ArrowField[] | undefined;
  /** Rows left out since no row before them had their schema: retention can delete the one that had. */
  unanchoredCount = 0;
  /** All rows' bytes: few large objects instead of many small ones keep the worker's heap small. */
  #bytes = new Uint8Array(1 << 16);
  #byteCount = 0;

  get rowCount(): number {
    return this.#rows.length;
  }

  /** Time stamps of the first and last row. */
  get span(): { readonly firstNs: bigint; readonly lastNs: bigint } | undefined {
    const [first, last] = [this.#rows[0], this.#rows.at(-1)];
    return first && last && { firstNs: first.timestampNs, lastNs: last.timestampNs };
  }

  /** Adds a row. @throws {SyntaxError} When it is damaged. */
  add(timestampNs: bigint, wallOffsetNs: bigint, bytes: Uint8Array): void {
    const row = scanGroupRow(bytes);
    if (row.schema !== undefined) this.#anchor = { hash: row.hash, schema: row.schema };
    const anchor = this.#anchor;
    if (anchor === undefined || anchor.hash.high !== row.hash.high || anchor.hash.low !== row.hash.low) {
      this.unanchoredCount++;
      return;
    }
    const layout = this.#layoutOf(row, anchor.schema);
    const { window, positions } = row;
    this.#rows.push({ timestampNs, wallOffsetNs, window, layout, start: this.#store(bytes), positions });
    this.#fields = undefined;
  }

  get fields(): readonly ArrowField[] {
    this.#fields ??= [
      ...LEADING,
      ...this.#members.map((member): ArrowField => ({
        name: member.kind === "histograms" ? `${member.columnName}:buckets` : member.columnName,
        type: member.kind === "histograms" ? "list<u64>" : member.kind === "gauges" ? "i64" : "u64",
        nullable: true,
        metadata: memberMetadata(member),
      })),
    ];
    return this.#fields;
  }

  read(column: number): ColumnData {
    if (column < LEADING.length) return this.#readLeading(column);
    const index = column - LEADING.length;
    const member = this.#members[index]!;
    return member.kind === "histograms" ? this.#readHistograms(index) : this.#readNumbers(index, member.kind);
  }

  #readLeading(column: number): ColumnData {
    return integers(this.#rows, (row) => {
      switch (column) {
        case 0:
          return row.timestampNs;
        case 1:
          return row.wallOffsetNs;
        case 2:
          return row.window && row.window.beginNs - row.timestampNs;
        default:
          return row.window && BigInt(row.window.widthNs);
      }
    });
  }

  /** Returns where the value of a member lies in a row; `undefined` when the row has none. */
  #find(row: StoredRow, index: number): number | undefined {
    const position = row.positions[row.layout[index] ?? -1] ?? 0;
    return position === 0 ? undefined : row.start + position;
  }

  #readNumbers(index: number, kind: "counters" | "gauges"): ColumnData {
    const rowCount = this.#rows.length;
    const words = new Uint32Array(2 * rowCount);
    const reader = new MsgpackReader(this.#bytes);
    let missing: Uint8Array | undefined;
    for (let at = 0; at < rowCount; at++) {
      const found = this.#find(this.#rows[at]!, index);
      if (found === undefined) {
        missing ??= new Uint8Array(rowCount);
        missing[at] = 1;
        continue;
      }
      reader.at = found;
      if (kind === "counters") reader.unsigned("counter");
      else reader.signed("gauge");
      words[2 * at] = reader.low;
      words[2 * at + 1] = reader.high;
    }
    return { rowCount, words, ...(missing && { missing }) };
  }

  #readHistograms(index: number): ColumnData {
    const rowCount = this.#rows.length;
    const { powers } = this.#members[index]!;
    const bucketCount = powers === undefined
      ? 0
      : histogramLayout(powers.groupingPower, powers.maxValuePower).bucketCount;
    const offsets = new Uint32Array(rowCount + 1);
    let missing: Uint8Array | undefined;
    const found = this.#rows.map((row, at) => {
      const position = this.#find(row, index);
      offsets[at + 1] = offsets[at]! + (position === undefined ? 0 : bucketCount);
      if (position === undefined) {
        missing ??= new Uint8Array(rowCount);
        missing[at] = 1;
      }
      return position;
    });
    const words = new Uint32Array(2 * offsets[rowCount]!);
    const reader = new MsgpackReader(this.#bytes);
    found.forEach((position, at) => {
      if (position === undefined) return;
      reader.at = position;
      reader.unsignedInto(words.subarray(2 * offsets[at]!), bucketCount, "bucket");
    });
    return { rowCount, words, offsets, ...(missing && { missing }) };
  }

  #store(bytes: Uint8Array): number {
    const start = this.#byteCount;
    if (start + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (start + bytes.length));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, start);
    this.#byteCount = start + bytes.length;
    return start;
  }

  #layoutOf(row: ScannedRow, schema: Schema): RowLayout {
    let key = `${row.hash.high} ${row.hash.low}`;
    for (const powers of row.powers) {
      key += powers === undefined ? " -" : ` ${powers.groupingPower}/${powers.maxValuePower}`;
    }
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const counts = [row.counterCount, row.gaugeCount, row.powers.length];
    const expected = [schema.counters.length, schema.gauges.length, schema.histograms.length];
    if (String(counts) !== String(expected)) {
      throw new SyntaxError(`a row has ${counts} counters, gauges, histograms, its schema ${expected}`);
    }
    const slots = new Map<Member, number>();
    let slot = 0;
    for (const kind of ["counters", "gauges", "histograms"] as const) {
      schema[kind].forEach(({ name, metadata }, place) => {
        const powers = kind === "histograms" ? row.powers[place] : undefined;
        slots.set(this.#member(kind, name, metadata, powers), slot++);
      });
    }
    const layout = Int32Array.from(this.#members, (member) => slots.get(member) ?? -1);
    this.#layouts.set(key, layout);
    return layout;
  }

  #member(
    kind: MemberKind,
    name: string,
    metadata: Readonly<Record<string, string>>,
    powers: RowPowers | undefined,
  ): Member {
    const identity = JSON.stringify([kind, name, Object.entries(metadata).sort()]);
    const same = this.#memberByIdentity.get(identity) ?? [];
    const member = same.find((known) =>
      known.powers === undefined || powers === undefined ||
      (known.powers.groupingPower === powers.groupingPower &&
        known.powers.maxValuePower === powers.maxValuePower)
    );
    if (member !== undefined) {
      member.powers ??= powers &&
        { groupingPower: powers.groupingPower, maxValuePower: powers.maxValuePower };
      return member;
    }
    let columnName = name;
    for (let generation = 2; this.#columnNames.has(columnName); generation++) {
      columnName = `${name}#${generation}`;
    }
    this.#columnNames.add(columnName);
    const added: Member = { kind, entryName: name, identity, columnName, metadata, powers };
    this.#members.push(added);
    this.#memberByIdentity.set(identity, [...same, added]);
    return added;
  }
}

function memberMetadata({ kind, metadata, powers }: Member): Record<string, string> {
  return {
    ...metadata,
    metric_type: metadata["metric_type"] ?? METRIC_TYPE[kind],
    ...(powers && {
      grouping_power: String(powers.groupingPower),
      max_value_power: String(powers.maxValuePower),
    }),
  };
}

function integers(rows: readonly StoredRow[], value: (row: StoredRow) => bigint | undefined): ColumnData {
  const words = new Uint32Array(2 * rows.length);
  let missing: Uint8Array | undefined;
  rows.forEach((row, index) => {
    const found = value(row);
    if (found === undefined) {
      missing ??= new Uint8Array(rows.length);
      missing[index] = 1;
      return;
    }
    words[2 * index] = Number(found & 0xffff_ffffn);
    words[2 * index + 1] = Number((found >> 32n) & 0xffff_ffffn);
  });
  return { rowCount: rows.length, words, ...(missing && { missing }) };
}
