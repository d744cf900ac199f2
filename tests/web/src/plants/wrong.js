// Distances are 1 % too large: the page must find them wrong.
const make = GPUDevice.prototype.createShaderModule;
GPUDevice.prototype.createShaderModule = function (module) {
    return make.call(this, { ...module, code: module.code.replaceAll(" sqrt(", " 1.01 * sqrt(") });
};
