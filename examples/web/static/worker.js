// Computes beside the page, which stays alive: a worker may take its time.
import init, { Bench, Own, Validation, losses } from "./metric_learning.js";

const ready = init({ module_or_path: new URL("metric_learning_bg.wasm", import.meta.url) });

const tasks = {
    async validate({ selection, adapter, browser }) {
        const validation = await Validation.open(selection);
        for (;;) {
            const progress = await validation.next();
            if (progress === undefined) break;
            postMessage({ progress: JSON.parse(progress) });
        }
        postMessage({ report: JSON.parse(validation.report(adapter, browser)) });
    },

    async bench({ largest }) {
        const bench = await Bench.open(largest);
        const limits = JSON.parse(bench.limits());
        postMessage({ limits, total: bench.left() });
        for (;;) {
            const point = await bench.next();
            if (point === undefined) break;
            postMessage({ point: JSON.parse(point) });
        }
        postMessage({ isDone: true });
    },

    async losses() {
        postMessage({ losses: JSON.parse(losses()) });
    },

    async own({ embeddings, labels, objective }) {
        const own = await Own.open(new Uint8Array(embeddings), new Uint8Array(labels));
        const found = JSON.parse(await own.evaluate(objective));
        postMessage({ found, points: own.plane(), classes: own.classes() });
    },
};

self.addEventListener("message", async ({ data }) => {
    try {
        await ready;
        await tasks[data.task](data);
    } catch (error) {
        postMessage({ problem: error?.message ?? String(error) });
    }
});
