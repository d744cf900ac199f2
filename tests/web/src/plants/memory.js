// Once a buffer is asked for as large as the device allows any. The browser's software adapter has no memory for that: Vulkan refuses it
// (VK_ERROR_OUT_OF_DEVICE_MEMORY), nothing is taken of the machine's, and the browser tells it as it tells every lack of memory.
const { createBuffer } = GPUDevice.prototype;
let isLeft = true;
GPUDevice.prototype.createBuffer = function (buffer) {
    if (!isLeft || !buffer.label?.includes("gradient")) return createBuffer.call(this, buffer);
    isLeft = false;
    return createBuffer.call(this, { ...buffer, size: this.limits.maxBufferSize });
};
