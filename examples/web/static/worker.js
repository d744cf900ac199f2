// Computes beside the page, which stays alive: a worker may take its time.
import init, { Bench, Own, Validation, Watch, choices, losses } from "./metric_learning.js";

// What has been asked for since the last frame of what is watched.
let asked = {};
let hear = () => {};

function ask(wishes) {
    Object.assign(asked, wishes);
    hear();
}

// What the WebAssembly says before it stops by a mistake of its own.
let mistake;
self.tellMistake = (words) => {
    mistake = words;
    console.error(words);
};

let memory;

/** What is told of an error. WebAssembly that stops without a word has no memory left: so Rust ends it. */
function wordsOf(error) {
    if (!(error instanceof WebAssembly.RuntimeError)) return error?.message ?? String(error);
    if (mistake) return `the page has failed: ${mistake}`;
    return `out of memory: WebAssembly has ${(memory.buffer.byteLength / 1e6).toFixed(1)} MB, and the browser gives it no more`;
}

const tasks = {
    async choices() {
        postMessage({ losses: JSON.parse(losses()), choices: JSON.parse(choices()) });
    },

    async validate({ selection, adapter, browser }) {
        const validation = await Validation.open(selection);
        for (;;) {
            const progress = await validation.next();
            if (progress === undefined) break;
            postMessage({ progress: JSON.parse(progress) });
        }
        postMessage({ report: JSON.parse(validation.report(adapter, browser)) });
    },

    async watch({ canvas, controls, look }) {
        const watch = await Watch.open(canvas, JSON.stringify(controls));
        ask({ look });
        for (;;) {
            while (asked.isPaused) await new Promise((resolve) => { hear = resolve; });
            const { controls, look } = asked;
            asked = {};
            if (controls) watch.go_by(JSON.stringify(controls));
            if (look) watch.look(look.width, look.height, look.ground);
            await new Promise(requestAnimationFrame);
            const frame = JSON.parse(watch.frame());
            await watch.done();
            postMessage({ frame });
        }
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

    async own({ embeddings, labels, objective }) {
        const own = await Own.open(new Uint8Array(embeddings), new Uint8Array(labels));
        const found = JSON.parse(await own.evaluate(objective));
        postMessage({ found, points: own.plane(), classes: own.classes() });
    },
};

self.addEventListener("message", async ({ data: { task, module, ...rest } }) => {
    if (!task) return ask(rest);
    try {
        ({ memory } = await init({ module_or_path: module }));
        await tasks[task](rest);
    } catch (error) {
        postMessage({ problem: wordsOf(error) });
    }
});

// What stops between two steps of a task is in nobody's hands.
self.addEventListener("error", (event) => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    postMessage({ problem: wordsOf(event.error) });
});
