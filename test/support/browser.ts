import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const systemPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Nothing that a fresh browser does by itself may pass for a request of the page under test. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts headless Chromium: `CHROME_PATH`, else the system's, else the one inside npm. */
export async function startBrowser(): Promise<Browser> {
  const path = process.env.CHROME_PATH ?? systemPaths.find((candidate) => existsSync(candidate));
  return path === undefined ? startNpmBrowser() : chromium.launch({ executablePath: path, args });
}

/** Starts the Chromium that `@sparticuz/chromium` brings, with the libraries that it brings too. */
export async function startNpmBrowser(): Promise<Browser> {
  const { AWS_EXECUTION_ENV, LD_LIBRARY_PATH } = process.env;
  try {
    // The package unpacks its libraries (NSS and what it needs) only where it believes to run in Lambda.
    process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs20.x';
    const { default: packaged } = await import('@sparticuz/chromium');
    const executablePath = await packaged.executablePath();
    // The system's own libraries come first: the packaged ones are for what it lacks.
    const libraries = ['/lib/x86_64-linux-gnu', '/usr/lib64', join(tmpdir(), 'al2023', 'lib')].join(':');
    return await chromium.launch({ executablePath, args, env: { ...process.env, LD_LIBRARY_PATH: libraries } });
  } finally {
    restore('AWS_EXECUTION_ENV', AWS_EXECUTION_ENV);
    restore('LD_LIBRARY_PATH', LD_LIBRARY_PATH);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
