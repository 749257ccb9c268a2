import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** `proto/` beside the nearest `package.json` above this file, built or not. */
function protoFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'proto');
}

/** Lets tools such as grpcurl ask what the server offers; read from the same files as the generated code. */
export const reflection = (services: readonly string[]): ReflectionService =>
  new ReflectionService(
    loadSync(['blinkstream/v1/events_service.proto', 'blinkstream/v1/frame_service.proto'], {
      includeDirs: [protoFolder()],
    }),
    { services: [...services] },
  );
