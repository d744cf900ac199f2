
// Does the tasks without computing anything: the page is looked at, and not what it shows.
const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

async function stays() {
    await new Promise(() => {});
}

Object.assign(tasks, {
    // Three hundred cases in a row, in some 5 seconds.
    async validate() {
        const total = 300;
        for (let done = 1; done <= total; done += 1) {
            postMessage({ progress: { done, total, numbers: 10 * done, failures: 0, largest_share: 0.5 } });
            await pause(15);
        }
        const failures = [
            { error: "the device was lost", loss: "Triplet" },
            { check_share_of_bound: 7, check_quantity: "loss", loss: "Contrastive" },
        ];
        const counts = { cases: total, numbers: 10, unsure_numbers: 1, refused: 0, one_percent_noticed: 9, compared: 10, zero_results: 1 };
        const largest_error = { check_share_of_bound: 7 };
        postMessage({ report: { ...counts, adapter: "staged", elapsed_ms: 4000, check_agrees: false, largest_error, failures } });
    },

    async watch() {
        const losses = [];
        for (let steps = 1; steps <= 61; steps += 1) {
            losses.push(4 / steps);
            postMessage({ frame: { steps, precision_at_1: steps === 1 ? 0.25 : 0.75, losses } });
        }
        await stays();
    },

    async bench() {
        postMessage({ limits: { operations_per_second: 1e12, bytes_per_second: 1e11, empty_submit_us: 20 }, total: 2 });
        for (const [loss, median_ms] of [["Triplet", 2], ["Contrastive", 1]]) {
            postMessage({ point: { loss, n: 256, median_ms, gpu_ms: null, of_peak: 0.1 } });
        }
        postMessage({ isDone: true });
    },

    async own() {
        const evaluation = { loss: 0.5, terms: 3, gradient_norm: 1 };
        const found = { rows: 3, columns: 2, notes: ["a note"], counted: 2, measures: [["Precision@1", 1]], found: evaluation };
        postMessage({ found, points: [0, 0, 1, 1, 2, 0], classes: [7, 8, 7] });
    },
});
