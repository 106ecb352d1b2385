/** Services of the contracts on gRPC: their methods by the names of the generated code, on both ends. @module */
import { Buffer } from "node:buffer";
import {
  type ChannelCredentials,
  Client,
  Metadata,
  type MethodDefinition,
  type sendUnaryData,
  Server,
  type ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import {
  create,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { ClusterError, type ClusterProblem } from "../control/errors.ts";

/** Who calls, and until when. */
export interface Call {
  /** Fires when the caller has gone, or has waited long enough. */
  readonly signal: AbortSignal;
}

type Input<M> = M extends { input: infer I extends DescMethod["input"] } ? MessageShape<I> : never;
type Output<M> = M extends { output: infer O extends DescMethod["output"] } ? MessageInitShape<O> : never;

/** What does the work of a service, method by method. */
export type Handlers<S extends DescService> = {
  readonly [Name in keyof S["method"]]: S["method"][Name] extends { methodKind: "server_streaming" }
    ? (request: Input<S["method"][Name]>, call: Call) => AsyncIterable<Output<S["method"][Name]>>
    : (request: Input<S["method"][Name]>, call: Call) => Promise<Output<S["method"][Name]>>;
};

/** As of the gRPC status codes. */
const CODES: Readonly<Record<ClusterProblem, status>> = {
  "not found": status.NOT_FOUND,
  exists: status.ALREADY_EXISTS,
  invalid: status.INVALID_ARGUMENT,
  conflict: status.FAILED_PRECONDITION,
  quota: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
};

/** Larger messages are none of ours. */
const MESSAGE_BYTES = 4 << 20;

/** Serves services until disposed. */
export class GrpcServer implements AsyncDisposable {
  readonly #server = new Server({ "grpc.max_receive_message_length": MESSAGE_BYTES });
  readonly #bug: (error: unknown) => void;
  #port = 0;

  /** @param bug Told what no client can do anything about. */
  constructor(bug: (error: unknown) => void) {
    this.#bug = bug;
  }

  get port(): number {
    return this.#port;
  }

  add<S extends DescService>(service: S, handlers: Handlers<S>): void {
    const known = handlers as unknown as Readonly<Record<string, AnyHandler>>;
    const definitions = Object.fromEntries(
      service.methods.map((method) => [method.name, definitionOf(method)]),
    );
    const implementations = Object.fromEntries(
      service.methods.map((method) => {
        const handler = known[method.localName]!;
        return [
          method.name,
          method.methodKind === "server_streaming" ? this.#streamed(handler) : this.#single(handler),
        ];
      }),
    );
    this.#server.addService(definitions, implementations);
  }

  /** @param address `127.0.0.1:7070`; port 0 is any that is free. @throws {Error} When it cannot be had. */
  async listen(address: string, credentials: ServerCredentials): Promise<void> {
    this.#port = await new Promise((resolve, reject) =>
      this.#server.bindAsync(
        address,
        credentials,
        (error, port) => error === null ? resolve(port) : reject(error),
      )
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    // Streams that go on for ever end now.
    this.#server.forceShutdown();
    await closed;
  }

  #single(handler: AnyHandler) {
    return (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort(new Error("The caller has gone")));
      (handler(call.request, { signal: gone.signal }) as Promise<unknown>).then(
        (value) => answer(null, value),
        (error) => answer(this.#statusOf(error)),
      );
    };
  }

  #streamed(handler: AnyHandler) {
    return async (call: ServerWritableStream<unknown, unknown>) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort(new Error("The caller has gone")));
      try {
        for await (const each of handler(call.request, { signal: gone.signal }) as AsyncIterable<unknown>) {
          if (!call.write(each)) await Promise.race([once(call, "drain"), once(call, "cancelled")]);
          if (gone.signal.aborted) return;
        }
        call.end();
      } catch (error) {
        call.emit("error", this.#statusOf(error));
      }
    };
  }

  #statusOf(error: unknown): { code: status; message: string } {
    if (error instanceof ClusterError) return { code: CODES[error.problem], message: error.message };
    this.#bug(error);
    return { code: status.INTERNAL, message: "The server has a defect; its log tells more" };
  }
}

type AnyHandler = (request: unknown, call: Call) => Promise<unknown> | AsyncIterable<unknown>;

/** What a server answers when it does not do what it is asked for. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** A gRPC status code, by its name: `NOT_FOUND`. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The methods of a service as a caller has them. */
export type Caller<S extends DescService> = {
  readonly [Name in keyof S["method"]]: S["method"][Name] extends { methodKind: "server_streaming" }
    ? (request: Init<S["method"][Name]>, signal?: AbortSignal) => AsyncIterable<Answer<S["method"][Name]>>
    : (request: Init<S["method"][Name]>, signal?: AbortSignal) => Promise<Answer<S["method"][Name]>>;
};
type Init<M> = M extends { input: infer I extends DescMethod["input"] } ? MessageInitShape<I> : never;
type Answer<M> = M extends { output: infer O extends DescMethod["output"] } ? MessageShape<O> : never;

/** A connection to a server. */
export class GrpcClient implements Disposable {
  readonly #client: Client;

  constructor(address: string, credentials: ChannelCredentials) {
    this.#client = new Client(address, credentials, { "grpc.max_receive_message_length": MESSAGE_BYTES });
  }

  /** @param deadlineMs Until a call that is no stream is given up. */
  caller<S extends DescService>(service: S, { deadlineMs }: { readonly deadlineMs: number }): Caller<S> {
    return Object.fromEntries(service.methods.map((method) => {
      const { path, requestSerialize: write, responseDeserialize: read } = definitionOf(method);
      if (method.methodKind === "server_streaming") {
        return [method.localName, (request: unknown, signal?: AbortSignal) => {
          const stream = this.#client.makeServerStreamRequest(path, write, read, request);
          signal?.addEventListener("abort", () => stream.cancel(), { once: true });
          return told(stream, signal);
        }];
      }
      return [method.localName, (request: unknown, signal?: AbortSignal) =>
        new Promise((resolve, reject) => {
          const options = { deadline: Date.now() + deadlineMs };
          const call = this.#client.makeUnaryRequest(
            path,
            write,
            read,
            request,
            new Metadata(),
            options,
            (error, value) => error === null ? resolve(value) : reject(rpcError(error)),
          );
          signal?.addEventListener("abort", () => call.cancel(), { once: true });
        })];
    })) as unknown as Caller<S>;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

async function* told(
  stream: AsyncIterable<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown> {
  try {
    yield* stream;
  } catch (error) {
    if (signal?.aborted === true) return;
    throw rpcError(error as ServiceError);
  }
}

function rpcError(error: ServiceError): RpcError {
  return new RpcError(error.details || error.message, status[error.code] ?? "UNKNOWN", { cause: error });
}

function definitionOf(method: DescMethod): MethodDefinition<unknown, unknown> {
  const { parent, name, input, output, methodKind } = method;
  const write = (schema: DescMethod["input"]) => (value: unknown) =>
    Buffer.from(toBinary(schema, create(schema, value as MessageInitShape<typeof schema>)));
  const read = (schema: DescMethod["input"]) => (bytes: Buffer) => fromBinary(schema, bytes);
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: write(input),
    requestDeserialize: read(input),
    responseSerialize: write(output),
    responseDeserialize: read(output),
  };
}

function once(emitter: { once(event: string, listener: () => void): unknown }, event: string): Promise<void> {
  return new Promise((resolve) => emitter.once(event, resolve));
}
