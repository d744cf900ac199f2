// One of the buffers is larger than the memory that there is, once.
const create = GPUDevice.prototype.createBuffer;
let isLeft = true;
GPUDevice.prototype.createBuffer = function (buffer) {
    if (isLeft && buffer.label?.includes("gradient")) {
        isLeft = false;
        const size = this.limits.maxBufferSize;
        for (let at = 0; at < 64; at += 1) kept.push(create.call(this, { ...buffer, size }));
    }
    return create.call(this, buffer);
};
const kept = [];
