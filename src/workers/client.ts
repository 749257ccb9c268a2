import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  credentials as channelCredentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { findingFromProto } from '../records/convert/worker.js';
import {
  type DescribeResponse,
  ReasoningWorkerClient,
  type BlobChunk,
  type ReasonRequest,
  type ReasonResponse,
} from '../records/generated/blinkstream/v1/worker_service.js';
import { BlinkstreamError, type Blob, type FrameSequence, type Reasoned } from '../records/index.js';
import { workerAddress } from './address.js';
import { limits } from './limits.js';
import { fromStatus } from './status.js';
import { requestsOf } from './transfer.js';

export interface Ask {
  readonly question: string;
  readonly reasoner: string;
  readonly signal: AbortSignal;
  /** From now until the whole answer is there. */
  readonly deadlineMs: number;
}

/** A connection to one worker. */
export interface WorkerClient {
  /** @throws NoAnswer */
  describe(deadlineMs: number): Promise<DescribeResponse>;
  /**
   * Asks the worker about a sequence, whose leases the caller holds meanwhile.
   * @throws BlinkstreamError as the worker told it, or `WORKER_ANSWER_INVALID` (internal)
   * @throws NoAnswer
   * @throws the signal's reason on abort; the worker is told to stop
   */
  reason(sequence: FrameSequence, ask: Ask): Promise<Reasoned>;
  close(): void;
}

/** How a worker is reached and let in to; default: plainly. */
interface WorkerAccess {
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

const plainly: WorkerAccess = { credentials: channelCredentials.createInsecure(), options: {} };

/** @throws BlinkstreamError `WORKER_ADDRESS_INVALID` (user) */
export function connectWorker(address: string, { credentials, options }: WorkerAccess = plainly): WorkerClient {
  const client = new ReasoningWorkerClient(workerAddress(address), credentials, {
    ...options,
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    // Retries are the pool's, on another worker; here they would only keep copies of the pictures.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.keepalive_time_ms': 30_000,
    // For what comes back; the default of 64 KiB would make every blob wait for the other side some dozen times.
    'grpc-node.flow_control_window': 4 * 1024 * 1024,
  });
  return {
    describe: (deadlineMs) =>
      new Promise((resolve, reject) => {
        client.describe({}, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) =>
          error === null ? resolve(response) : reject(fromStatus(error)),
        );
      }),
    async reason(sequence, { question, reasoner, signal, deadlineMs }) {
      signal.throwIfAborted();
      const call = client.reason({ deadline: Date.now() + deadlineMs });
      const cancel = () => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        const [reasoned] = await Promise.all([receive(call), send(call, requestsOf(sequence, question, reasoner))]);
        return reasoned;
      } catch (error) {
        call.cancel();
        signal.throwIfAborted();
        throw isServiceError(error) ? fromStatus(error) : error;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    close: () => client.close(),
  };
}

type Call = ClientDuplexStream<ReasonRequest, ReasonResponse>;

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'metadata' in error && 'code' in error && 'details' in error;

/** Writes as fast as the worker takes it. An error of the call ends it: `once` rejects with it. */
async function send(call: Call, requests: Iterable<ReasonRequest>): Promise<void> {
  for (const request of requests) {
    if (!call.write(request)) await once(call, 'drain');
  }
  call.end();
}

async function receive(call: Call): Promise<Reasoned> {
  let result: Omit<Reasoned, 'blobs'> | undefined;
  const blobs = new BlobIntake();
  for await (const { message } of call as AsyncIterable<ReasonResponse>) {
    if (message?.$case === 'result' && result === undefined) {
      const { findings, contradicted, reasoner, elapsedMs } = message.value;
      result = {
        findings: findings.map(findingFromProto),
        contradicted: contradicted.map(findingFromProto),
        reasoner,
        elapsedMs,
      };
    } else if (message?.$case === 'blob' && result !== undefined) {
      blobs.accept(message.value);
    } else {
      throw invalid(`${message?.$case ?? 'an empty message'} out of turn`);
    }
  }
  if (result === undefined) throw invalid('no result');
  return { ...result, blobs: blobs.finish() };
}

/** Blobs as they come in; their bytes must be the ones that their names promise. */
class BlobIntake {
  readonly #blobs: Blob[] = [];
  #open: { sha256: string; mediaType: string; parts: Buffer[] } | undefined;
  #bytes = 0;

  accept({ sha256, mediaType, data, last }: BlobChunk): void {
    this.#bytes += data.byteLength;
    if (this.#bytes > limits.answerBytes) throw invalid(`more than ${limits.answerBytes} bytes of blobs`);
    if (this.#blobs.length === limits.blobsPerAnswer) throw invalid(`more than ${limits.blobsPerAnswer} blobs`);
    this.#open ??= { sha256, mediaType, parts: [] };
    this.#open.parts.push(data);
    if (!last) return;
    const { parts, ...name } = this.#open;
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== name.sha256) throw invalid(`blob ${name.sha256} has bytes of SHA-256 ${found}`);
    this.#blobs.push({ ...name, bytes });
    this.#open = undefined;
  }

  finish(): readonly Blob[] {
    if (this.#open !== undefined) throw invalid(`blob ${this.#open.sha256} is not whole`);
    return this.#blobs;
  }
}

const invalid = (what: string): BlinkstreamError =>
  new BlinkstreamError(`invalid answer of a worker: ${what}`, {
    code: 'WORKER_ANSWER_INVALID',
    class: 'internal',
    stage: 'worker',
    hint: 'Run the same version of Blinkstream on both sides.',
  });
