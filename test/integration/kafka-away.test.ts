import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { describeOwnKafka, startBroker } from '../support/kafka/broker.js';
import { LoggedService } from '../support/logged-service.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

await describeOwnKafka('a service whose broker', () => {
  it('is away when it starts waits for it, says so, and ends well when it is asked to before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blinkstream-away-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const broker = await startBroker();
    cleanups.push(() => broker.close());
    await broker.kill9();
    const file = join(folder, 'deployment.yaml');
    const [address] = broker.brokers;
    await writeFile(
      file,
      `topologies: [{ kind: watch }]
kafka: { brokers: ['${address}'] }
sources: [{ name: ramp, kind: push, stallMs: 0 }]
log: { folder: index, kafka: { prefix: away } }
outputs: { grpc: { listen: '127.0.0.1:0' } }
workers: { children: 1 }
`,
    );
    const impatient = new LoggedService(file);
    cleanups.push(() => impatient.kill());
    expect(await impatient.note('KAFKA_TROUBLE')).toMatchObject({ error: 'KAFKA_UNREACHABLE' });
    impatient.terminate();
    expect(await impatient.exited).toBe(0);
    const patient = new LoggedService(file);
    cleanups.push(() => patient.kill());
    await patient.note('KAFKA_TROUBLE');
    await broker.start();
    await patient.note('EVENTS_SERVED');
    patient.terminate();
    expect(await patient.exited).toBe(0);
  }, 120_000);
});
