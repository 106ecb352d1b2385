/** An independent reader of parquet: parquet-rs compiled to WebAssembly, with Arrow's own library behind it. @module */
import { type Table, tableFromIPC } from "apache-arrow";
import init, * as wasm from "parquet-wasm/esm/parquet_wasm.js";

let ready: Promise<unknown> | undefined;

/** Loads the WebAssembly once. */
export function secondReader(): Promise<typeof wasm> {
  ready ??= Deno.readFile(new URL(import.meta.resolve("parquet-wasm/esm/parquet_wasm_bg.wasm")))
    .then((bytes) => init({ module_or_path: bytes }));
  return ready.then(() => wasm);
}

/** What a column is by its ends and its sum, in exact integers; lists count all their elements. */
export interface ColumnSummary {
  readonly name: string;
  readonly metadata: Record<string, string>;
  readonly nullable: boolean;
  readonly signed: boolean;
  readonly rows: number;
  readonly nulls: number;
  readonly first: string;
  readonly last: string;
  readonly sum: bigint;
}

/** Returns what the second reader finds in a parquet file. */
export async function summarize(parquet: Uint8Array): Promise<{ columns: ColumnSummary[]; table: Table }> {
  const { readParquet } = await secondReader();
  const table = tableFromIPC(readParquet(parquet).intoIPCStream());
  const columns = table.schema.fields.map((field, index) => {
    const vector = table.getChildAt(index)!;
    let sum = 0n;
    const text = (row: number): string => {
      const value = vector.get(row) as bigint | null | { toArray(): BigUint64Array };
      if (value === null) return "null";
      return typeof value === "bigint" ? String(value) : `[${value.toArray()}]`;
    };
    for (const chunk of vector.data) {
      const lists = field.type.typeId === 12;
      if (!lists) {
        for (let row = 0; row < chunk.length; row++) {
          if (chunk.getValid(row)) sum += (chunk.values as BigUint64Array)[row]!;
        }
        continue;
      }
      const child = chunk.children[0]!.values as BigUint64Array;
      const offsets = chunk.valueOffsets as Int32Array;
      for (let at = offsets[0]!; at < offsets[chunk.length]!; at++) if (child[at] !== 0n) sum += child[at]!;
    }
    return {
      name: field.name,
      metadata: Object.fromEntries([...field.metadata].sort()),
      nullable: field.nullable,
      signed: (field.type as { isSigned?: boolean }).isSigned !== false,
      rows: vector.length,
      nulls: vector.nullCount,
      first: text(0),
      last: text(vector.length - 1),
      sum,
    };
  });
  return { columns, table };
}
