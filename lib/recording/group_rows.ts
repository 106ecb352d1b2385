/**
 * Rows of one group that are not sealed yet, shown as columns: what a segment is made of, and what a reader sees of a
 * journal's tail. Histograms stay encoded until their column is asked for.
 *
 * A member whose labels change, or whose histogram changes its layout, gets a new column `<name>#2`, as upstream has it
 * (metriken-segment, `builder.rs`), so that no value is filed under another's labels.
 * @module
 */
import type { Hash128, Schema } from "../metrics/mod.ts";
import { decodeGroupRow, type GroupRow, readBuckets } from "./group_row.ts";
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
  powers: { readonly groupingPower: number; readonly maxValuePower: number } | undefined;
}

/** Which member each value of a row belongs to. */
interface RowLayout {
  /** Place of the value by member, −1 when the row has none. */
  readonly placeOf: Int32Array;
}

interface StoredRow extends GroupRow {
  readonly timestampNs: bigint;
  readonly wallOffsetNs: bigint;
  readonly layout: RowLayout;
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
  /** Bytes of the rows as they are stored. */
  byteCount = 0;

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
    const row = decodeGroupRow(bytes);
    if (row.schema !== undefined) this.#anchor = { hash: row.hash, schema: row.schema };
    const anchor = this.#anchor;
    if (anchor === undefined || anchor.hash.high !== row.hash.high || anchor.hash.low !== row.hash.low) {
      this.unanchoredCount++;
      return;
    }
    this.#rows.push({
      ...row,
      timestampNs,
      wallOffsetNs,
      layout: this.#layoutOf(row, anchor.schema, anchor.hash),
    });
    this.byteCount += bytes.length;
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

  #readNumbers(index: number, kind: "counters" | "gauges"): ColumnData {
    const rowCount = this.#rows.length;
    const words = new Uint32Array(2 * rowCount);
    let missing: Uint8Array | undefined;
    for (let at = 0; at < rowCount; at++) {
      const row = this.#rows[at]!;
      const place = row.layout.placeOf[index] ?? -1;
      const values = row[kind];
      if (place < 0 || values.missing?.[place] === 1) {
        missing ??= new Uint8Array(rowCount);
        missing[at] = 1;
        continue;
      }
      words[2 * at] = values.words[2 * place]!;
      words[2 * at + 1] = values.words[2 * place + 1]!;
    }
    return missing === undefined ? { rowCount, words } : { rowCount, words, missing };
  }

  #readHistograms(index: number): ColumnData {
    const rowCount = this.#rows.length;
    const lists = this.#rows.map((row) => {
      const histogram = row.histograms[row.layout.placeOf[index] ?? -1];
      return histogram && readBuckets(row, histogram);
    });
    const offsets = new Uint32Array(rowCount + 1);
    lists.forEach((list, at) => offsets[at + 1] = offsets[at]! + (list?.length ?? 0) / 2);
    const words = new Uint32Array(2 * offsets[rowCount]!);
    lists.forEach((list, at) => list && words.set(list, 2 * offsets[at]!));
    if (!lists.includes(undefined)) return { rowCount, words, offsets };
    return {
      rowCount,
      words,
      offsets,
      missing: Uint8Array.from(lists, (list) => list === undefined ? 1 : 0),
    };
  }

  #layoutOf(row: GroupRow, schema: Schema, hash: Hash128): RowLayout {
    let key = `${hash.high} ${hash.low}`;
    for (const histogram of row.histograms) {
      key += histogram === undefined ? " -" : ` ${histogram.groupingPower}/${histogram.maxValuePower}`;
    }
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const counts = [row.counters.words.length / 2, row.gauges.words.length / 2, row.histograms.length];
    const expected = [schema.counters.length, schema.gauges.length, schema.histograms.length];
    if (String(counts) !== String(expected)) {
      throw new SyntaxError(`a row has ${counts} counters, gauges, histograms, its schema ${expected}`);
    }
    const places = new Map<Member, number>();
    for (const kind of ["counters", "gauges", "histograms"] as const) {
      schema[kind].forEach(({ name, metadata }, place) => {
        const powers = kind === "histograms" ? row.histograms[place] : undefined;
        places.set(this.#member(kind, name, metadata, powers), place);
      });
    }
    const placeOf = Int32Array.from(this.#members, (member) => places.get(member) ?? -1);
    const layout = { placeOf };
    this.#layouts.set(key, layout);
    return layout;
  }

  #member(
    kind: MemberKind,
    name: string,
    metadata: Readonly<Record<string, string>>,
    powers: Member["powers"],
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
