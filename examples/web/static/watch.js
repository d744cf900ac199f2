import { adapterOf, begin, counted, fill, find, short, tell, use } from "./common.js";

const state = find("watch-state");
const [loss, mining, distance, dimensions] = ["loss", "mining", "distance", "dimensions"].map((name) => find(`watch-${name}`));
const margin = find("watch-margin");
const [start, pause] = ["start", "pause"].map((name) => find(`watch-${name}`));
const curve = find("curve").querySelector("polyline");

// Steps from one description of the pictures to the next.
const DESCRIBED_EVERY = 30;

let choices;
let restarts = 0;
// What is watched: its worker, and what was measured first.
let watched;

/** Offers what can be trained. */
export function showChoices(found) {
    choices = found;
    const { controls, palette } = found;
    loss.replaceChildren(...found.losses.map((one) => new Option(one.loss)));
    mining.replaceChildren(...found.minings.map((name) => new Option(name)));
    distance.replaceChildren(...found.distances.map((name) => new Option(name)));
    loss.value = controls.objective.choice;
    showMargin();
    find("legend").replaceChildren(...palette.map(([red, green, blue], digit) => {
        const item = document.createElement("li");
        const dot = document.createElement("span");
        dot.style.background = `rgb(${red} ${green} ${blue})`;
        item.append(dot, String(digit));
        return item;
    }));
    use(start, true);
}

/** What the loss calls its number, at its usual value. */
function showMargin() {
    const { margin_name, usual_margin } = choices.losses[loss.selectedIndex];
    find("margin-name").textContent = margin_name;
    margin.value = usual_margin;
    find("margin-value").textContent = short(Number(margin.value));
    mining.disabled = loss.value !== "Triplet";
}

function controls() {
    const objective = {
        choice: loss.value,
        mining: mining.value,
        distance: distance.value,
        margin: Number(margin.value),
    };
    return { ...choices.controls, objective, dimensions: Number(dimensions.value), restarts };
}

/** How many pixels the canvas has, and the colour that it lies on. */
function look() {
    const canvas = find("embedding");
    const { width, height } = canvas.getBoundingClientRect();
    const [pixels_wide, pixels_high] = [width, height].map((side) => Math.round(side * devicePixelRatio));
    const ground = getComputedStyle(canvas).backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
    return { width: pixels_wide, height: pixels_high, ground };
}

function showFrame({ steps, precision_at_1, losses }) {
    if (steps === 1) watched.first = undefined;
    watched.first ??= precision_at_1 ?? undefined;
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    const precision = precision_at_1 === null ? "to come" : `${percent(precision_at_1)}, at first ${percent(watched.first)}`;
    fill(find("watch-found"), [
        ["steps", counted(steps)],
        ["loss", losses.length > 0 ? short(losses.at(-1)) : "to come"],
        ["Precision@1", precision],
    ]);
    if (steps % DESCRIBED_EVERY === 1) describe(steps, precision_at_1, losses);
    const most = Math.max(...losses, Number.MIN_VALUE);
    const wide = Math.max(losses.length - 1, 1);
    const points = losses.map((value, step) => `${(100 * step) / wide},${100 - (98 * value) / most}`);
    curve.setAttribute("points", points.join(" "));
}

/** Says in words what the pictures show. */
function describe(steps, precision, losses) {
    const nearest = precision === null ? "" : `: ${(100 * precision).toFixed(1)} % are nearest to one of their own class`;
    const count = `${counted(steps)} step${steps === 1 ? "" : "s"}`;
    const points = `The digits as points in ${dimensions.value} dimensions, one colour a digit, after ${count} of ${loss.value}${nearest}`;
    find("embedding").setAttribute("aria-label", points);
    const [first, last, most] = [losses[0], losses.at(-1), Math.max(...losses)].map((value) => short(value ?? 0));
    const course = losses.length === 0 ? "No loss has come yet" : `The last ${counted(losses.length)} losses, from ${first} to ${last}, the largest ${most}`;
    find("curve").setAttribute("aria-label", course);
}

function end() {
    watched?.worker.terminate();
    watched = undefined;
    start.textContent = "Watch";
    use(pause, false);
    pause.textContent = "Pause";
}

/** A canvas that is drawn on by a worker is so for ever: the next worker gets another one. */
function canvasAnew() {
    const old = find("embedding");
    const canvas = old.cloneNode();
    old.replaceWith(canvas);
    sizes.disconnect();
    sizes.observe(canvas);
    return canvas;
}

const asks = (wishes) => watched?.worker.postMessage(wishes);
const sizes = new ResizeObserver(() => asks({ look: look() }));

find("watch").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (start.getAttribute("aria-disabled") === "true") return;
    restarts += 1;
    if (watched) {
        asks({ controls: controls() });
        return goOn(true);
    }
    use(start, false);
    try {
        await adapterOf();
        find("watched").hidden = false;
        const canvas = canvasAnew().transferControlToOffscreen();
        tell(state, "Training begins once its kernels are compiled.");
        const task = { task: "watch", canvas, controls: controls(), look: look() };
        const worker = begin(task, ({ frame, problem }) => {
            if (problem) {
                end();
                return tell(state, problem, true);
            }
            if (frame.steps === 1) tell(state, "Training.");
            showFrame(frame);
        }, [canvas]);
        watched = { worker, first: undefined };
        start.textContent = "Begin anew";
        use(pause, true);
    } catch (problem) {
        end();
        tell(state, problem.message, true);
    }
    use(start, true);
});

function goOn(goes) {
    watched.isPaused = !goes;
    asks({ isPaused: watched.isPaused });
    pause.textContent = goes ? "Pause" : "Go on";
    tell(state, goes ? "Training." : "Paused.");
}

pause.addEventListener("click", () => {
    if (watched) goOn(watched.isPaused);
});
loss.addEventListener("change", showMargin);
margin.addEventListener("input", () => {
    find("margin-value").textContent = short(Number(margin.value));
});
find("watch").addEventListener("change", () => asks({ controls: controls() }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => asks({ look: look() }));
