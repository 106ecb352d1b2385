/** What a resource is: something with a URI that clients read and may be told of when it changes. @module */

/** One line of the list of resources. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly sizeBytes?: number;
}

/** A family of resources; `uriTemplate` is RFC 6570, such as `log://{process}`. */
export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** What a resource holds: text, or bytes. */
export interface ResourceContent {
  readonly uri: string;
  readonly mimeType?: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
}

/** What happened to resources: one has new content, or the list itself is another. */
export type ResourceChange = { readonly kind: "updated"; readonly uri: string } | { readonly kind: "list" };

/** A source of resources. A registry may have several; the first that knows a URI answers. */
export interface ResourceProvider {
  readonly templates?: readonly ResourceTemplate[];
  list(): readonly Resource[] | Promise<readonly Resource[]>;
  /** The content, or `undefined` when this provider knows no such URI. */
  read(
    uri: string,
    signal: AbortSignal,
  ): readonly ResourceContent[] | undefined | Promise<readonly ResourceContent[] | undefined>;
  /** Calls `changed` for each change until the returned function is called. Left out: nothing ever changes. */
  watch?(changed: (change: ResourceChange) => void): () => void;
}
