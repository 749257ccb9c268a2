import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eventOf } from '../../fixtures/events.js';
import { metricDefinitions } from '../../src/operation/metric-definitions.js';
import { type MetricSources, serviceMetrics } from '../../src/operation/metrics.js';
import { ServiceTally } from '../../src/operation/tally.js';
import type { FrameSequence } from '../../src/records/index.js';
import type { PipelineListener } from '../../src/topology/context.js';
import type { PipelineState } from '../../src/topology/pipeline.js';
import type { WorkerLoad } from '../../src/workers/load.js';
import { metricsPage } from '../support/metrics-page.js';
import { refOf } from '../../fixtures/stage.js';

const idle: WorkerLoad = { waiting: 0, inFlight: 0, capacity: 1, up: 1, down: 0, retries: 0, replaced: 0 };

/** A service of the pipelines `watch/NAME`, whose clock stands until it is set. */
function service(sources: Partial<MetricSources> = {}) {
  let nowMs = 0;
  const tally = new ServiceTally(() => nowMs);
  const metrics = serviceMetrics({ tally, workers: () => idle, ...sources });
  return {
    tally,
    metrics,
    at: (ms: number) => (nowMs = ms),
    begin: (source: string): Required<PipelineListener> =>
      tally.listener.pipeline({ topology: 'watch', source }) as Required<PipelineListener>,
    enter: (source: string, state: PipelineState) =>
      tally.listener.state({
        ...{ topology: 'watch', source, state },
        ...{ frames: 0, events: 0, lateFrames: 0, deadLetters: 0, failures: 0 },
      }),
    /** Lines of Blinkstream's own that hold `part`, without help and type. */
    lines: async (part: string) =>
      (await metrics.text()).split('\n').filter((line) => line.startsWith('blinkstream') && line.includes(part)),
  };
}

describe('metrics', () => {
  it('are those of docs/metrics.md, which `npm run docs` writes', async () => {
    const file = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));
    await expect(await format(metricsPage(), { ...(await resolveConfig(file)), filepath: file })).toMatchFileSnapshot(
      file,
    );
    const text = await service().metrics.text();
    const exported = [...text.matchAll(/^# TYPE (blinkstream_\w+) (\w+)$/gm)].map(([, name, type]) => ({ name, type }));
    expect(exported).toEqual(metricDefinitions.map(({ name, type }) => ({ name, type })));
  });

  it('are named as Prometheus asks for: counters end in _total, and what is measured in its unit', () => {
    const units = /_(seconds|bytes|frames|sequences|events|messages)$/;
    const countsOrStates = /^blinkstream_(pipeline_state|open_windows|workers|subscribers|frames_in_transit)$/;
    for (const { name, type } of metricDefinitions) {
      expect(name).toMatch(/^blinkstream_[a-z_]+$/);
      expect(`${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`).toBe(`${name} ${type}`);
      if (type === 'gauge') expect(name).toMatch(countsOrStates.test(name) ? countsOrStates : units);
    }
  });

  it('tell what a pipeline told, with its names', async () => {
    const { begin, at, lines, enter } = service();
    const yard = begin('yard');
    begin('dock');
    enter('yard', 'running');
    const inHand = { frames: 1, openWindows: 2, sequences: 3, usedBytes: 4_000, limitBytes: 5_000 };
    yard.begun(() => inHand);
    const ref = { ...refOf(0), eventTimeMs: 1_500 };
    for (let i = 0; i < 4; i++) yard.frame(ref);
    yard.late(ref, 0);
    yard.windowed(ref);
    yard.windowed(ref);
    yard.closed({ trigger: 'activity', thinnedFrames: 7 } as FrameSequence);
    at(2_000);
    yard.committed([eventOf(1, { kind: 'MOVED' }), eventOf(2, { kind: 'MOVED' })], [eventOf(3)]);
    yard.heldBack(2);
    at(5_000);
    const of = 'topology="watch",source="yard"';
    expect(await lines(of)).toEqual([
      `blinkstream_pipeline_state{${of},state="starting"} 0`,
      `blinkstream_pipeline_state{${of},state="running"} 1`,
      `blinkstream_pipeline_state{${of},state="waiting"} 0`,
      `blinkstream_pipeline_state{${of},state="ended"} 0`,
      `blinkstream_pipeline_state{${of},state="failed"} 0`,
      `blinkstream_pipeline_failures_total{${of}} 0`,
      `blinkstream_frames_read_total{${of}} 4`,
      `blinkstream_windowed_frames_total{${of}} 2`,
      `blinkstream_late_frames_total{${of}} 1`,
      `blinkstream_unreadable_frames_total{${of}} 0`,
      `blinkstream_frames_read_again_total{${of}} 0`,
      `blinkstream_abandoned_frames_total{${of}} 0`,
      `blinkstream_frames_in_transit{${of}} 1`,
      `blinkstream_dropped_frames_total{${of}} 0`,
      `blinkstream_thinned_frames_total{${of}} 7`,
      `blinkstream_last_frame_event_time_seconds{${of}} 1.5`,
      `blinkstream_last_frame_age_seconds{${of}} 5`,
      `blinkstream_open_windows{${of}} 2`,
      `blinkstream_sequences_total{${of},trigger="activity"} 1`,
      `blinkstream_waiting_sequences{${of}} 3`,
      `blinkstream_dead_letters_total{${of}} 0`,
      `blinkstream_contradicted_claims_total{${of}} 1`,
      `blinkstream_changes_held_back_total{${of}} 2`,
      `blinkstream_events_committed_total{${of},kind="MOVED"} 2`,
      `blinkstream_commits_total{${of}} 1`,
      `blinkstream_commit_age_seconds{${of}} 3`,
      `blinkstream_budget_used_bytes{${of}} 4000`,
      `blinkstream_budget_limit_bytes{${of}} 5000`,
    ]);
    expect(await lines('frames_read_total{topology="watch",source="dock"} 0')).toHaveLength(1);
    // No frame yet: no time of one either, rather than one of 1970.
    expect(await lines('last_frame_age_seconds{topology="watch",source="dock"}')).toEqual([]);
  });

  it('lose the series of a pipeline that is suspended, and begin anew when it comes back', async () => {
    const { begin, enter, lines } = service();
    const first = begin('yard');
    first.frame(refOf(0));
    enter('yard', 'suspended');
    expect(await lines('yard')).toEqual([]);
    begin('yard');
    expect(await lines('frames_read_total')).toEqual([
      'blinkstream_frames_read_total{topology="watch",source="yard"} 0',
    ]);
  });

  it('tell of workers and subscribers', async () => {
    const { tally, lines } = service({
      workers: () => ({ waiting: 1, inFlight: 2, capacity: 3, up: 2, down: 1, retries: 4, replaced: 5 }),
      subscriptions: new Set([{ behind: () => 40 }, { behind: () => 7 }, { behind: () => undefined }]),
    });
    tally.stalledSubscribers = 6;
    expect([...(await lines('worker')), ...(await lines('subscriber'))]).toEqual([
      'blinkstream_worker_queue_sequences 1',
      'blinkstream_worker_in_flight_sequences 2',
      'blinkstream_worker_capacity_sequences 3',
      'blinkstream_workers{state="up"} 2',
      'blinkstream_workers{state="down"} 1',
      'blinkstream_worker_retries_total 4',
      'blinkstream_workers_replaced_total 5',
      'blinkstream_subscribers 3',
      'blinkstream_subscriber_lag_max_events 40',
      'blinkstream_subscribers_stalled_total 6',
    ]);
  });

  it('tell how far an input is behind, and count where that cannot be had', async () => {
    const { metrics, lines } = service();
    const remove = metrics.addInputLag(() => Promise.resolve([{ source: 'frames', partition: '3', messages: 12 }]));
    metrics.addInputLag(() => Promise.reject(new Error('the broker is away')));
    metrics.addInputLag(() => {
      throw new Error('no consumer');
    });
    expect(await lines('input_lag_messages')).toEqual([
      'blinkstream_input_lag_messages{source="frames",partition="3"} 12',
    ]);
    remove();
    expect(await lines('input_lag_messages')).toEqual([]);
    expect(await lines('input_lag_failures_total')).toEqual(['blinkstream_input_lag_failures_total 4']);
  });

  it('keep those of one service from another', async () => {
    const [one, other] = [service(), service()];
    one.begin('yard');
    expect(await other.lines('yard')).toEqual([]);
    expect(await one.metrics.text()).toContain('process_resident_memory_bytes');
  });
});

describe('docs/operations.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/operations.md', import.meta.url)), 'utf8');

  it('speaks only of metrics that there are', () => {
    const names = metricDefinitions.map(({ name }) => name);
    const told = [...page.matchAll(/\bblinkstream_\w+/g)].map(([name]) => name);
    expect(told.length).toBeGreaterThan(20);
    expect(told.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('lists the codes of all notes, and no other', () => {
    const source = readFileSync(fileURLToPath(new URL('../../src/operation/notes.ts', import.meta.url)), 'utf8');
    const fixed = [...source.matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code);
    const states: PipelineState[] = ['running', 'waiting', 'ended', 'suspended', 'failed'];
    const expected = [...fixed, ...states.map((state) => `PIPELINE_${state.toUpperCase()}`)];
    const told = [...page.matchAll(/^\| `([A-Z_]+)` +\| `(?:info|warn|error)`/gm)].map(([, code]) => code);
    // What it fails by has the code of an error.
    expect(told.sort()).toEqual(expected.filter((code) => code !== 'INTERNAL').sort());
  });

  it('has rules that are YAML', () => {
    const [rules] = [...page.matchAll(/^```yaml\n(groups:.*?)^```/gms)].map(([, yaml]) => parse(yaml) as RuleFile);
    for (const { alert, expr } of rules.groups[0].rules)
      expect(`${alert} ${expr}`).toMatch(/^Blinkstream\w+ .*blinkstream_/);
  });
});

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
