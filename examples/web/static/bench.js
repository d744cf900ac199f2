import { counted, fill, find, nameOf, offer, short } from "./common.js";
import { runs } from "./run.js";

let result;

function cell(kind, contents) {
    const cell = document.createElement(kind);
    cell.append(contents);
    return cell;
}

/** A bar as long as the median is of the longest. */
function barOf(median, longest) {
    const bar = document.createElement("meter");
    bar.max = longest;
    bar.value = median;
    bar.setAttribute("aria-label", `${Math.round((100 * median) / longest)} % of the longest`);
    return bar;
}

function showTimes(points) {
    const longest = Math.max(...points.map(({ median_ms }) => median_ms));
    const rows = points.map(({ loss, n, median_ms, gpu_ms, of_peak }) => {
        const row = document.createElement("tr");
        const name = cell("th", loss);
        name.scope = "row";
        const own = gpu_ms === null ? "not granted" : short(gpu_ms);
        const rest = [counted(n), short(median_ms), own, `${(100 * of_peak).toFixed(1)} %`, barOf(median_ms, longest)];
        row.append(name, ...rest.map((contents) => cell("td", contents)));
        return row;
    });
    find("times").querySelector("tbody").replaceChildren(...rows);
    find("times").hidden = false;
}

function showLimits({ operations_per_second, bytes_per_second, empty_submit_us }) {
    fill(find("bench-limits"), [
        ["adapter", result.adapter],
        ["multiply-adds", `${short(operations_per_second / 1e9)} GFLOP/s`],
        ["copies", `${short(bytes_per_second / 1e9)} GB/s, read and written`],
        ["empty submit", `${short(empty_submit_us)} µs`],
    ]);
}

runs("bench", {
    doing: "Timing. What the GPU can do at most is measured first.",
    results: ["bench-limits", "times", "bench-download"],
    task(adapter) {
        result = { adapter: nameOf(adapter.info), browser: navigator.userAgent, points: [] };
        return { task: "bench", largest: Number(find("largest").value) };
    },
    hear({ limits, total, point, isDone }, { goOn, end }) {
        if (limits) {
            Object.assign(result, { limits, total });
            showLimits(limits);
        }
        if (point) {
            result.points.push(point);
            goOn(result.points.length, result.total);
            showTimes(result.points);
        }
        if (isDone) {
            offer("bench-download", result);
            end(`${result.points.length} points timed.`);
        }
    },
});
