import { BlinkstreamError, messageOf } from '../records/index.js';
import type { Check } from './checks/check.js';
import { checks } from './checks/index.js';
import { broker } from './checks/kafka.js';
import { type CommandFactory, newCommand } from './command.js';
import { exitCodes } from './exit-codes.js';
import { text } from './option-values.js';
import { styled, type Terminal } from './terminal.js';

interface DoctorOptions {
  readonly brokers?: string;
}

interface Diagnosis {
  readonly name: string;
  readonly needed: boolean;
  /** `missing`: needed and not there. `absent`: not there, and only some things need it. */
  readonly status: 'ok' | 'missing' | 'absent';
  readonly detail: string;
  /** How to get it; where it is not there. */
  readonly remedy?: string;
}

export const doctorCommand: CommandFactory = (act) =>
  newCommand('doctor', {
    summary: 'Tell what this machine has of what Blinkstream needs, and how to get the rest',
    details: 'Exit code 4 where something needed is missing. Brokers that are named are needed.',
    examples: ['blinkstream doctor', 'blinkstream doctor --json', 'blinkstream doctor --brokers 127.0.0.1:9092'],
  })
    .option('--brokers <addresses>', 'Kafka brokers to ask, HOST:PORT[,HOST:PORT]; else those of KAFKA_BROKERS', text)
    .action(
      act(async ({ out, json, env }, { brokers }: DoctorOptions) => {
        const asked = brokers === undefined ? env : { ...env, KAFKA_BROKERS: brokers };
        const diagnoses = await Promise.all(
          checks.map((check) => diagnose(check === broker && brokers ? { ...check, needed: true } : check, asked)),
        );
        const ok = diagnoses.every(({ status }) => status !== 'missing');
        if (json) out.json(JSON.stringify({ ok, checks: diagnoses }));
        else print(diagnoses, out);
        return ok ? exitCodes.done : exitCodes.environment;
      }),
    );

/** Never rejects: what a check throws is its finding. */
export async function diagnose(check: Check, env: NodeJS.ProcessEnv): Promise<Diagnosis> {
  const { name, needed } = check;
  try {
    return { name, needed, status: 'ok', detail: await check.find(env) };
  } catch (error) {
    const remedy = (error instanceof BlinkstreamError ? error.hint : undefined) ?? check.remedy;
    return { name, needed, status: needed ? 'missing' : 'absent', detail: messageOf(error).split('\n', 1)[0], remedy };
  }
}

const styles = { ok: 'green', missing: 'red', absent: 'yellow' } as const;

function print(diagnoses: readonly Diagnosis[], out: Terminal): void {
  const width = Math.max(...diagnoses.map(({ name }) => name.length));
  for (const { name, status, detail, remedy } of diagnoses) {
    out.line(styled(styles[status], status.padEnd(9)), styled('bold', name.padEnd(width + 2)), detail);
    if (remedy !== undefined) out.line(' '.repeat(9 + width + 2), styled('dim', remedy));
  }
  const missing = diagnoses.filter(({ status }) => status === 'missing').map(({ name }) => name);
  out.line(missing.length === 0 ? 'Everything needed is there.' : `Missing and needed: ${missing.join(', ')}.`);
}
