// What the parts of the page share.
export const find = (id) => document.getElementById(id);

// What is shown of a number: enough to compare, not more. JSON has null for what is beyond all numbers.
export const short = (number) => (number === null ? "∞" : Number(number.toPrecision(4)).toString());
export const counted = (number) => number.toLocaleString("en");

/** Fills a list of names and values. */
export function fill(list, entries) {
    list.replaceChildren(...entries.flatMap(([name, value]) => {
        const [term, detail] = ["dt", "dd"].map((kind) => document.createElement(kind));
        term.textContent = name;
        detail.textContent = value;
        return [term, detail];
    }));
    list.hidden = false;
}

// Compiled once, while the page is read, for all workers.
const wasm = fetch(new URL("metric_learning_bg.wasm", import.meta.url)).then(async (response) => {
    if (!response.ok) throw new Error(`the page is not whole: ${response.url} is missing`);
    // A server may not know the type of the file, without which a browser does not take it as it comes.
    const isKnown = response.headers.get("content-type") === "application/wasm";
    return isKnown ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
});

/** Starts a worker with a task; `hear` gets what it posts, a problem included. What is in `transfer` is handed over. */
export function begin(task, hear, transfer = []) {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => hear(data));
    worker.addEventListener("error", (event) => {
        hear({ problem: `the page has failed: ${event.message || "its files could not be loaded"}` });
    });
    wasm.then(
        (module) => worker.postMessage({ ...task, module }, transfer),
        (problem) => hear({ problem: problem.message }),
    );
    return worker;
}

export function tell(state, text, isProblem = false) {
    state.textContent = text;
    state.classList.toggle("problem", isProblem);
}

/** Whether a button can be used. Where it cannot, it keeps the focus: who has pressed it goes on from there. */
export function use(button, isUsable) {
    button.setAttribute("aria-disabled", String(!isUsable));
}

/** Offers a result as a file. */
export function offer(id, result) {
    const link = find(id).querySelector("a");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([JSON.stringify(result, null, 2)], { type: "application/json" }));
    find(id).hidden = false;
}

/** The adapter for high performance; tells where there is none. */
export async function adapterOf() {
    if (!navigator.gpu) {
        const reason = isSecureContext
            ? "this browser has none, or has it switched off"
            : "a browser gives it to pages of https or of this machine only";
        throw new Error(`WebGPU is missing: ${reason}.`);
    }
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU gives no adapter: the browser does not take this machine's GPU or driver.");
    return adapter;
}

export function nameOf({ vendor, architecture, device, description }) {
    return [vendor, architecture, device, description].filter(Boolean).join(" ") || "not named by the browser";
}

export function limitsOf({ limits }) {
    const names = [];
    for (const name in limits) names.push(name);
    return names.map((name) => [name, limits[name]]);
}
