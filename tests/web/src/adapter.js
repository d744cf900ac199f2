// An adapter on paper: nothing is computed on it.
const limits = { maxTextureDimension2D: 8192, maxBufferSize: 2 ** 30, maxComputeInvocationsPerWorkgroup: 256 };
const adapter = { info: { vendor: "staged" }, limits, features: new Set() };
Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => adapter } });
