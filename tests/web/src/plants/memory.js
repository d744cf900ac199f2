// Once there is no memory for a buffer: the browser gives one that is not valid, as it does then, and tells the scope of the call.
const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
const scopes = [];
let isLeft = true;
let isFull = false;
GPUDevice.prototype.createBuffer = function (buffer) {
    if (!isLeft || !buffer.label?.includes("gradient")) return createBuffer.call(this, buffer);
    isLeft = false;
    isFull = true;
    return createBuffer.call(this, { ...buffer, size: 2 ** 48 });
};
GPUDevice.prototype.pushErrorScope = function (filter) {
    scopes.push(filter);
    pushErrorScope.call(this, filter);
};
GPUDevice.prototype.popErrorScope = async function () {
    const isTold = scopes.pop() === "out-of-memory" && isFull;
    if (isTold) isFull = false;
    const error = await popErrorScope.call(this);
    return isTold ? new GPUOutOfMemoryError("no memory, by the test") : error;
};
