/**
 * vitest's global setup: serves the one broker of a run. The first test file that asks has it started (`broker.ts`
 * asks), so that a run without such files starts none. Where no broker can be had, it says at the end how many tests
 * were skipped, and what to do about it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { findKafka, NoKafka } from './installation.js';
import { notReady } from './ready.js';
import { startBroker, type OwnBroker } from './server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for a broker. */
    kafka: string;
  }
}

/** What there is for tests. */
export type Offer =
  | { readonly brokers: readonly string[]; readonly ours: boolean }
  /** The run goes on without; `required`: it fails. */
  | { readonly missing: string; readonly remedy: string; readonly required: boolean };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let own: OwnBroker | undefined;
  const shared = memo(() =>
    offer(async () => {
      own = await startBroker();
      return own.brokers;
    }),
  );
  const startable = memo(() => offer(() => findKafka().then(() => [])));
  const skipped = new Map<string, Offer>();

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const answer = pathname === '/own' ? startable() : shared();
    void answer.then(
      (told) => {
        if ('missing' in told || (pathname === '/own' && !told.ours)) skipped.set(searchParams.get('file') ?? '', told);
        response.end(JSON.stringify(told));
      },
      (error: unknown) => {
        response.statusCode = 500;
        response.end(error instanceof Error ? error.message : String(error));
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('kafka', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  return async () => {
    server.closeAllConnections();
    server.close();
    await own?.close();
    tellSkipped(project, skipped);
  };
}

const memo = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** `KAFKA_BROKERS` where it is set, else what `find` starts. @throws where `KAFKA_BROKERS` does not answer */
async function offer(find: () => Promise<readonly string[]>): Promise<Offer> {
  const told = process.env.KAFKA_BROKERS;
  if (told) {
    const brokers = told.split(',').map((address) => address.trim());
    const problems = await Promise.all(brokers.map((address) => notReady(address)));
    if (problems.every((problem) => problem !== undefined)) {
      throw new Error(`no broker of KAFKA_BROKERS=${told} answers: ${problems.join('; ')}`);
    }
    return { brokers, ours: false };
  }
  try {
    return { brokers: await find(), ours: true };
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error;
    return { missing: error.message, remedy: error.remedy, required: Boolean(process.env.BLINKSTREAM_KAFKA_REQUIRED) };
  }
}

function tellSkipped({ vitest }: TestProject, skipped: ReadonlyMap<string, Offer>): void {
  if (skipped.size === 0) return;
  const modules = vitest.state.getTestModules().filter(({ moduleId }) => skipped.has(moduleId));
  const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]).length;
  const reasons = [...skipped.values()].map((told) =>
    'missing' in told
      ? `${told.missing}. To run them, ${told.remedy}`
      : 'KAFKA_BROKERS is set, and a broker that is not ours is not killed. To run them, unset it',
  );
  console.warn(`\nSKIPPED: ${tests} tests that need a Kafka broker. ${[...new Set(reasons)].join('. ')}.\n`);
}
