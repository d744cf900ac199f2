import { adapterOf, begin, counted, fill, find, nameOf, offer, short, tell } from "./common.js";

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
        const task = { task: "bench", largest: Number(find("largest").value) };
        benching = begin(task, ({ limits, total, point, isDone, problem }) => {
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
