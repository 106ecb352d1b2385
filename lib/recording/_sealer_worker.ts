/** The worker's side of `workerSealer`. @module */
import { runSealJob, type SealJob, type SealReply } from "./sealer.ts";

/** What a worker's global scope has for messages; the window's types lack it. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<{ id: number; job: SealJob }>) => void) | null;
  postMessage(reply: SealReply): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = ({ data: { id, job } }) => {
  try {
    const written = runSealJob(job);
    scope.postMessage(written === undefined ? { id } : { id, written });
  } catch (error) {
    scope.postMessage({ id, problem: error instanceof Error ? error.message : String(error) });
  }
};
