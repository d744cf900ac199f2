// The device is lost with its first submission.
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...wishes) {
    const device = await request.apply(this, wishes);
    const submit = device.queue.submit;
    let left = 1;
    device.queue.submit = function (...buffers) {
        submit.apply(this, buffers);
        left -= 1;
        if (left === 0) device.destroy();
    };
    return device;
};
