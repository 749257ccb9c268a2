/** What models can run on. `cuda`: an NVIDIA GPU, by libraries of CUDA and onnxruntime that npm does not bring. */
export const devices = ['cpu', 'cuda'] as const;
export type Device = (typeof devices)[number];
