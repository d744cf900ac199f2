// The life of what a form starts and cancels: Validate and Bench have it.
import { adapterOf, begin, find, tell, use } from "./common.js";

// A screen reader speaks whatever is told: a tenth at a time, and not before it has spoken the last one, in milliseconds.
const PAUSE = 3000;

/** The bar of a run, and words about it now and then. */
function barOf(bar, state, doing) {
    let [tenth, toldAt] = [0, performance.now()];
    bar.value = 0;
    return (done, total) => {
        bar.max = total;
        bar.value = done;
        const now = performance.now();
        const tenths = Math.floor((10 * done) / total);
        if (tenths === tenth || now - toldAt < PAUSE) return;
        [tenth, toldAt] = [tenths, now];
        tell(state, `${doing}: ${10 * tenths} % done.`);
    };
}

/**
 * Lets the form of this name start a task of the worker, one at a time, and cancel it. `doing` is told at first, and its first word with
 * what is done. What it has found before, the elements of these ids, is hidden. `task` makes it of an adapter; `hear` gets what the
 * worker posts, the adapter, and what to call as it goes on and at the end.
 */
export function runs(name, { doing, results, task, hear }) {
    const [form, start, cancel, state, bar] = ["", "-start", "-cancel", "-state", "-progress"].map((part) => find(name + part));
    let isRunning = false;
    let worker;

    const end = (told, isProblem = false) => {
        worker?.terminate();
        worker = undefined;
        isRunning = false;
        bar.hidden = true;
        use(start, true);
        use(cancel, false);
        tell(state, told, isProblem);
    };

    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (isRunning) return;
        isRunning = true;
        use(start, false);
        for (const id of results) find(id).hidden = true;
        try {
            const adapter = await adapterOf();
            const goOn = barOf(bar, state, doing.split(/[.:]/, 1)[0]);
            bar.hidden = false;
            use(cancel, true);
            tell(state, doing);
            worker = begin(task(adapter), (posted) => {
                if (posted.problem) return end(posted.problem, true);
                hear(posted, { adapter, goOn, end });
            });
        } catch (problem) {
            end(problem.message, true);
        }
    });

    cancel.addEventListener("click", () => {
        if (worker) end("Cancelled.");
    });
}
