/**
 * A broker that asks who comes and allows what its ACLs say. Whoever comes by plain text may do all: the tests' own
 * admin, who gives out ACLs. Needs nothing of vitest.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateAuthority, type Certificate, type CertificateAuthority } from '../certificates.js';
import { startBroker, type OwnBroker } from './server.js';

export interface SecuredBroker extends OwnBroker {
  /** `TLS`, `MTLS`, `PASSWORD` (plain text) and `PASSWORD_TLS`, besides `PLAINTEXT`. */
  readonly addresses: OwnBroker['addresses'];
  readonly authority: CertificateAuthority;
  /** Of the principal `User:CN=client`. */
  readonly client: Certificate;
}

/** Known by PLAIN and by both SCRAMs; principal `User:camera`. */
export const user = { username: 'camera', password: 'a-secret-of-the-tests' } as const;

export async function startSecuredBroker(): Promise<SecuredBroker> {
  const authority = await certificateAuthority();
  const server = await authority.issue('localhost');
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-kafka-keys-'));
  const keys = join(folder, 'server.pem');
  const trusted = join(folder, 'ca.pem');
  await writeFile(keys, `${server.key}\n${server.cert}\n`);
  await writeFile(trusted, authority.ca);
  const jaas = (listener: string) => ({
    [`listener.name.${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`listener.name.${listener}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user.username}="${user.password}";`,
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]:
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]:
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  });
  const scram = (mechanism: string) => [
    '--add-scram',
    `${mechanism}=[name=${user.username},password=${user.password}]`,
  ];
  const broker = await startBroker({
    listeners: { TLS: 'SSL', MTLS: 'SSL', PASSWORD: 'SASL_PLAINTEXT', PASSWORD_TLS: 'SASL_SSL' },
    properties: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keys,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': trusted,
      'listener.name.mtls.ssl.client.auth': 'required',
      ...jaas('password'),
      ...jaas('password_tls'),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
    formatArgs: [...scram('SCRAM-SHA-256'), ...scram('SCRAM-SHA-512')],
  });
  return {
    brokers: broker.brokers,
    addresses: broker.addresses,
    authority,
    client: await authority.issue('client'),
    start: () => broker.start(),
    kill9: () => broker.kill9(),
    restart: () => broker.restart(),
    close: async () => {
      await broker.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
