import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { pipelined } from '../../src/outputs/grpc/pipelined.js';
import { encodedEventService } from '../../src/outputs/grpc/wire.js';

/** A call whose connection takes nothing until told; `send` offers messages one by one, as grpc-js does. */
function heldCall() {
  const untaken: (() => void)[] = [];
  const sent: unknown[] = [];
  const call = pipelined(encodedEventService.subscribe, {
    sendMetadata: () => undefined,
    sendMessage: (message: unknown, taken: () => void) => {
      sent.push(message);
      untaken.push(taken);
    },
  } as unknown as ServerInterceptingCallInterface);
  const send = (messages: unknown[]): void => {
    const [first, ...rest] = messages;
    if (messages.length > 0) call.sendMessage(first, () => send(rest));
  };
  return { sent, send, takeOne: () => untaken.shift()?.() };
}

const kibibytes = (count: number, each: number): Buffer[] =>
  Array.from({ length: count }, (_, n) => Buffer.alloc(each * 1024, n));

it('sends encoded messages in order up to 64 KiB ahead of the connection, then one for each that it takes', () => {
  const { sent, send, takeOne } = heldCall();
  const messages = kibibytes(70, 1);
  send(messages);
  expect(sent).toHaveLength(64);
  takeOne();
  expect(sent).toHaveLength(65);
  for (let n = 0; n < 5; n++) takeOne();
  expect(sent.map((message) => messages.indexOf(message as Buffer))).toEqual([...messages.keys()]);
});

it('sends a message that is larger than that, and nothing with it', () => {
  const { sent, send, takeOne } = heldCall();
  send(kibibytes(3, 100));
  expect(sent).toHaveLength(1);
  takeOne();
  expect(sent).toHaveLength(2);
});

it('sends messages of unknown size one by one', () => {
  const { sent, send, takeOne } = heldCall();
  send([{ mediaType: 'image/png' }, { mediaType: '' }]);
  expect(sent).toHaveLength(1);
  takeOne();
  expect(sent).toHaveLength(2);
});
