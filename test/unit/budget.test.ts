import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FrameContent } from '../../src/records/index.js';
import { ByteBudget, leaseOf } from '../../src/sources/budget.js';

const never = new AbortController().signal;
const settle = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

describe('ByteBudget', () => {
  test('is never overdrawn but by one item alone, serves in order, and ends where it began', async () => {
    const commands = fc.array(
      fc.oneof(
        fc.record({ type: fc.constant('take' as const), bytes: fc.integer({ min: 0, max: 150 }) }),
        fc.record({ type: fc.constant('give' as const), which: fc.nat() }),
        fc.record({ type: fc.constant('abort' as const), which: fc.nat() }),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const budget = new ByteBudget(100);
        const waiting: { order: number; bytes: number; abort: AbortController }[] = [];
        const held: { order: number; bytes: number }[] = [];
        const granted: number[] = [];
        let order = 0;
        const check = () => {
          expect(budget.inFlightBytes).toBe(held.reduce((sum, item) => sum + item.bytes, 0));
          const holders = held.filter((item) => item.bytes > 0);
          expect(budget.inFlightBytes <= 100 || holders.length === 1).toBe(true);
        };
        for (const command of list) {
          if (command.type === 'take') {
            const item = { order: order++, bytes: command.bytes, abort: new AbortController() };
            waiting.push(item);
            const drop = () => waiting.splice(waiting.indexOf(item), 1);
            budget.take(item.bytes, item.abort.signal).then(() => {
              drop();
              held.push(item);
              granted.push(item.order);
            }, drop);
          } else if (command.type === 'give' && held.length > 0) {
            const [item] = held.splice(command.which % held.length, 1);
            budget.give(item.bytes);
          } else if (command.type === 'abort' && waiting.length > 0) {
            waiting[command.which % waiting.length].abort.abort();
          }
          await settle();
          check();
        }
        // Whatever waits still gets its turn when all that is held comes back.
        while (held.length > 0) {
          for (const item of held.splice(0)) budget.give(item.bytes);
          await settle();
          check();
        }
        expect(waiting).toEqual([]);
        expect(granted).toEqual([...granted].sort((a, b) => a - b));
        expect(budget.inFlightBytes).toBe(0);
      }),
    );
  });

  test('an abort while waiting throws its reason and lets the next in', async () => {
    const budget = new ByteBudget(10);
    await budget.take(10, never);
    const abort = new AbortController();
    const large = budget.take(10, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(large).rejects.toBe(reason);
    const next = budget.take(5, never);
    budget.give(10);
    await next;
    expect(budget.inFlightBytes).toBe(5);
  });
});

describe('leaseOf', () => {
  const content: FrameContent = {
    form: 'pixels',
    picture: { width: 1, height: 1, channels: 1, type: 'u8', data: Uint8Array.of(7) },
  };

  test('frees once, at the last release, and throws on any use after', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (retains) => {
        let freed = 0;
        let holds = 1;
        const lease = leaseOf(content, 1, () => freed++);
        for (const retain of retains) {
          if (holds === 0) break;
          expect(lease.content()).toBe(content);
          if (retain) lease.retain();
          else lease.release();
          holds += retain ? 1 : -1;
          expect(freed).toBe(holds === 0 ? 1 : 0);
        }
        for (; holds > 0; holds--) lease.release();
        expect(freed).toBe(1);
        for (const use of [() => lease.content(), () => lease.retain(), () => lease.release()]) {
          expect(use).toThrow(expect.objectContaining({ code: 'LEASE_RELEASED' }) as Error);
        }
      }),
    );
  });
});
