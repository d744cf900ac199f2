const find = (id) => document.getElementById(id);

// What is shown of a number: enough to compare, not more. JSON has null for what is beyond all numbers.
const short = (number) => (number === null ? "∞" : Number(number.toPrecision(4)).toString());
const counted = (number) => number.toLocaleString("en");

/** Fills a list of names and values. */
function fill(list, entries) {
    list.replaceChildren(...entries.flatMap(([name, value]) => {
        const [term, detail] = ["dt", "dd"].map((kind) => document.createElement(kind));
        term.textContent = name;
        detail.textContent = value;
        return [term, detail];
    }));
    list.hidden = false;
}

/** Starts a worker; `hear` gets what it posts, a problem included. */
function begin(hear) {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => hear(data));
    worker.addEventListener("error", (event) => {
        hear({ problem: `the page has failed: ${event.message || "its files could not be loaded"}` });
    });
    return worker;
}

function tell(state, text, isProblem = false) {
    state.textContent = text;
    state.classList.toggle("problem", isProblem);
}

/** Offers a result as a file. */
function offer(id, result) {
    const link = find(id).querySelector("a");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([JSON.stringify(result, null, 2)], { type: "application/json" }));
    find(id).hidden = false;
}

// ---- The adapter.

/** The adapter for high performance; tells where there is none. */
async function adapterOf() {
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

function nameOf({ vendor, architecture, device, description }) {
    return [vendor, architecture, device, description].filter(Boolean).join(" ") || "not named by the browser";
}

function limitsOf({ limits }) {
    const names = [];
    for (const name in limits) names.push(name);
    return names.map((name) => [name, limits[name]]);
}

// ---- Validate.

const state = find("state");
const cancel = find("cancel");
const start = find("validate").querySelector("button[type=submit]");
let validating;

function showProgress({ done, total, numbers, failures, largest_share }) {
    const progress = find("progress");
    progress.max = total;
    progress.value = done;
    fill(find("found"), [
        ["cases", `${counted(done)} of ${counted(total)}`],
        ["numbers compared", counted(numbers)],
        ["largest error", failures === 0 && largest_share === null ? "none" : `${short(largest_share)} of its bound`],
        ["failures", counted(failures)],
    ]);
}

/** What failed, in words and as JSON. */
function showFailures(failures) {
    const items = failures.slice(0, 20).map((failure) => {
        const item = document.createElement("li");
        const code = document.createElement("code");
        code.textContent = JSON.stringify(failure);
        const share = failure.check_share_of_bound;
        item.append(failure.error ?? `${short(share)} of its bound: ${failure.check_quantity}`, " ", code);
        return item;
    });
    find("failures").querySelector("ul").replaceChildren(...items);
    find("failures").hidden = failures.length === 0;
}

function showReport(report, adapter) {
    const seconds = (report.elapsed_ms / 1000).toFixed(1);
    fill(find("found"), [
        ["adapter", report.adapter],
        ["cases", counted(report.cases)],
        ["numbers compared", counted(report.numbers)],
        ["says nothing", `of ${counted(report.unsure_numbers)}, whose bound is above half of them`],
        ["refused, beyond f32", counted(report.refused)],
        ["1 % error noticed", `in ${report.one_percent_noticed} of ${report.compared} results; ${report.zero_results} are 0`],
        ["largest error", report.largest_error ? `${short(report.largest_error.check_share_of_bound)} of its bound` : "none"],
        ["failures", counted(report.failures.length)],
        ["elapsed", `${seconds} s`],
    ]);
    showFailures(report.failures);
    const whole = { ...report, limits: Object.fromEntries(limitsOf(adapter)), features: [...adapter.features] };
    offer("download", whole);
}

function end() {
    validating?.terminate();
    validating = undefined;
    start.disabled = false;
    cancel.disabled = true;
    find("progress").hidden = true;
}

find("validate").addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    for (const id of ["found", "failures", "download"]) find(id).hidden = true;
    try {
        const adapter = await adapterOf();
        fill(find("limits").querySelector("dl"), limitsOf(adapter));
        find("limits").hidden = false;
        cancel.disabled = false;
        find("progress").hidden = false;
        find("progress").removeAttribute("value");
        tell(state, "Validating. The first case takes longest: its kernels are compiled.");
        const task = {
            task: "validate",
            selection: find("selection").value,
            adapter: nameOf(adapter.info),
            browser: navigator.userAgent,
        };
        validating = begin(({ progress, report, problem }) => {
            if (progress) return showProgress(progress);
            end();
            if (problem) return tell(state, problem, true);
            showReport(report, adapter);
            const verdict = report.check_agrees
                ? `Every result of ${report.cases} cases is within its bounds.`
                : `${report.failures.length} of ${report.cases} cases failed.`;
            tell(state, verdict, !report.check_agrees);
        });
        validating.postMessage(task);
    } catch (problem) {
        end();
        tell(state, problem.message, true);
    }
});

cancel.addEventListener("click", () => {
    end();
    tell(state, "Cancelled.");
    start.focus();
});

// ---- Bench.

const benchState = find("bench-state");
const [benchStart, benchCancel] = find("bench").querySelectorAll("button");
let benching;

function cell(text) {
    const cell = document.createElement("td");
    cell.append(text);
    return cell;
}

/** The times as a table, with a bar as long as the median is of the longest. */
function showTimes(points) {
    const longest = Math.max(...points.map(({ median_ms }) => median_ms));
    const rows = points.map(({ loss, n, median_ms, gpu_ms, of_peak }) => {
        const row = document.createElement("tr");
        const bar = document.createElement("meter");
        bar.max = longest;
        bar.value = median_ms;
        bar.setAttribute("aria-hidden", "true");
        const share = `${(100 * of_peak).toFixed(1)} %`;
        row.append(...[loss, counted(n), short(median_ms), gpu_ms === null ? "not granted" : `${short(gpu_ms)} ms`, share, bar].map(cell));
        return row;
    });
    find("times").querySelector("tbody").replaceChildren(...rows);
    find("times").hidden = false;
}

function endBench() {
    benching?.terminate();
    benching = undefined;
    benchStart.disabled = false;
    benchCancel.disabled = true;
}

find("bench").addEventListener("submit", async (event) => {
    event.preventDefault();
    benchStart.disabled = true;
    for (const id of ["bench-limits", "times", "bench-download"]) find(id).hidden = true;
    try {
        const adapter = await adapterOf();
        benchCancel.disabled = false;
        tell(benchState, "Timing.");
        const result = { adapter: nameOf(adapter.info), browser: navigator.userAgent, points: [] };
        benching = begin(({ limits, total, point, isDone, problem }) => {
            if (limits) {
                Object.assign(result, { limits, total });
                fill(find("bench-limits"), [
                    ["adapter", result.adapter],
                    ["multiply-adds", `${short(limits.operations_per_second / 1e9)} GFLOP/s`],
                    ["copies", `${short(limits.bytes_per_second / 1e9)} GB/s, read and written`],
                    ["empty submit", `${short(limits.empty_submit_us)} µs`],
                ]);
            }
            if (point) {
                result.points.push(point);
                showTimes(result.points);
            }
            if (problem) {
                endBench();
                tell(benchState, problem, true);
            }
            if (isDone) {
                endBench();
                tell(benchState, `${result.points.length} points timed.`);
                offer("bench-download", result);
            }
        });
        benching.postMessage({ task: "bench", largest: Number(find("largest").value) });
    } catch (problem) {
        endBench();
        tell(benchState, problem.message, true);
    }
});

benchCancel.addEventListener("click", () => {
    endBench();
    tell(benchState, "Cancelled.");
    benchStart.focus();
});

// ---- Your embeddings.

const ownState = find("own-state");
const evaluate = find("own").querySelector("button");

function showLosses(losses) {
    const select = find("loss");
    select.replaceChildren(...losses.map((loss) => new Option(loss.loss)));
    const spell = () => {
        find("objective").value = JSON.stringify(losses[select.selectedIndex], null, 1).replaceAll("\n", "");
    };
    select.addEventListener("change", spell);
    const usual = losses.findIndex(({ loss }) => loss === "Triplet");
    select.selectedIndex = Math.max(usual, 0);
    spell();
}

// Of Okabe and Ito, who chose them to be told apart by everyone; then their hues in between.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6d1f", "#7f6bb3", "#777777", "#a6b800"];

function draw(points, classes) {
    const canvas = find("scatter");
    const context = canvas.getContext("2d");
    const [width, height, margin] = [canvas.width, canvas.height, 12];
    const range = (of) => {
        let [least, most] = [Infinity, -Infinity];
        for (let at = of; at < points.length; at += 2) {
            least = Math.min(least, points[at]);
            most = Math.max(most, points[at]);
        }
        return [least, most - least || 1];
    };
    const [[left, wide], [low, high]] = [range(0), range(1)];
    const order = new Map([...new Set(classes)].sort((one, other) => one - other).map((name, at) => [name, at]));
    context.clearRect(0, 0, width, height);
    classes.forEach((name, row) => {
        context.fillStyle = COLOURS[order.get(name) % COLOURS.length];
        const x = margin + ((points[2 * row] - left) / wide) * (width - 2 * margin);
        const y = height - margin - ((points[2 * row + 1] - low) / high) * (height - 2 * margin);
        context.beginPath();
        context.arc(x, y, 3, 0, 7);
        context.fill();
    });
    canvas.hidden = false;
}

function showOwn({ found, points, classes }) {
    const { rows, columns, notes, counted: withPositives, measures } = found;
    fill(find("own-found"), [
        ["rows", `${counted(rows)} of ${counted(columns)} numbers`],
        ["loss", `${short(found.found.loss)} over ${counted(found.found.terms)} terms`],
        ["norm of the gradient", short(found.found.gradient_norm)],
        ...measures.map(([name, value]) => [name, short(value)]),
        ["queries with a positive", counted(withPositives)],
        ...notes.map((note) => ["note", note]),
    ]);
    draw(points, classes);
}

find("own").addEventListener("submit", async (event) => {
    event.preventDefault();
    find("own-found").hidden = true;
    find("scatter").hidden = true;
    const [[embeddings], [labels]] = [find("embeddings").files, find("labels").files];
    if (!embeddings || !labels) {
        return tell(ownState, "Choose a file of embeddings and a file of labels.", true);
    }
    evaluate.disabled = true;
    tell(ownState, "Computing.");
    try {
        await adapterOf();
        const buffers = await Promise.all([embeddings.arrayBuffer(), labels.arrayBuffer()]);
        const task = { task: "own", embeddings: buffers[0], labels: buffers[1], objective: find("objective").value };
        const worker = begin((data) => {
            worker.terminate();
            evaluate.disabled = false;
            if (data.problem) return tell(ownState, data.problem, true);
            showOwn(data);
            tell(ownState, "Done.");
        });
        worker.postMessage(task, buffers);
    } catch (problem) {
        evaluate.disabled = false;
        tell(ownState, problem.message, true);
    }
});

const place = find("own").closest("section");
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
        event.preventDefault();
        place.classList.toggle("dropping", kind === "dragenter" || kind === "dragover");
    });
}
place.addEventListener("drop", ({ dataTransfer }) => {
    // Labels are the ones that say so, or the smaller file.
    const files = [...dataTransfer.files].sort((one, other) => other.size - one.size);
    const at = files.findIndex(({ name }) => /label/i.test(name));
    const labels = files.splice(at < 0 ? 1 : at, 1);
    const give = (input, file) => {
        if (!file) return;
        const transfer = new DataTransfer();
        transfer.items.add(file);
        input.files = transfer.files;
    };
    give(find("embeddings"), files[0]);
    give(find("labels"), labels[0]);
});

// ---- When the page is opened.

adapterOf().catch((problem) => {
    find("missing").textContent = `${problem.message} Nothing can be computed here.`;
    find("missing").hidden = false;
});

const listing = begin(({ losses, problem }) => {
    listing.terminate();
    if (problem) return tell(ownState, problem, true);
    showLosses(losses);
});
listing.postMessage({ task: "losses" });
