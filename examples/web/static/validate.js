import { counted, fill, find, limitsOf, nameOf, offer, short } from "./common.js";
import { runs } from "./run.js";

function showProgress({ done, total, numbers, failures, largest_share }, adapter) {
    fill(find("found"), [
        ["adapter", nameOf(adapter.info)],
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

runs("validate", {
    doing: "Validating. The first case takes longest: its kernels are compiled.",
    results: ["found", "failures", "download"],
    task(adapter) {
        fill(find("limits").querySelector("dl"), limitsOf(adapter));
        find("limits").hidden = false;
        return {
            task: "validate",
            selection: find("selection").value,
            adapter: nameOf(adapter.info),
            browser: navigator.userAgent,
        };
    },
    hear({ progress, report }, { adapter, goOn, end }) {
        if (progress) {
            goOn(progress.done, progress.total);
            return showProgress(progress, adapter);
        }
        showReport(report, adapter);
        const verdict = report.check_agrees
            ? `Every result of ${report.cases} cases is within its bounds.`
            : `${report.failures.length} of ${report.cases} cases failed.`;
        end(verdict, !report.check_agrees);
    },
});
