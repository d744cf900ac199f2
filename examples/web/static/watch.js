import { adapterOf, begin, counted, fill, find, short, tell } from "./common.js";

const state = find("watch-state");
const [loss, mining, distance, dimensions] = ["loss", "mining", "distance", "dimensions"].map((name) => find(`watch-${name}`));
const margin = find("watch-margin");
const [start, pause] = find("watch").querySelectorAll("button");
const curve = find("curve").querySelector("polyline");

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
    start.disabled = false;
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
    const most = Math.max(...losses, Number.MIN_VALUE);
    const wide = Math.max(losses.length - 1, 1);
    const points = losses.map((value, step) => `${(100 * step) / wide},${100 - (98 * value) / most}`);
    curve.setAttribute("points", points.join(" "));
}

function end() {
    watched?.worker.terminate();
    watched = undefined;
    start.textContent = "Watch";
    pause.disabled = true;
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
    restarts += 1;
    if (watched) {
        asks({ controls: controls() });
        return goOn(true);
    }
    start.disabled = true;
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
        pause.disabled = false;
    } catch (problem) {
        end();
        tell(state, problem.message, true);
    }
    start.disabled = false;
});

function goOn(goes) {
    watched.isPaused = !goes;
    asks({ isPaused: watched.isPaused });
    pause.textContent = goes ? "Pause" : "Go on";
    tell(state, goes ? "Training." : "Paused.");
}

pause.addEventListener("click", () => goOn(watched.isPaused));
loss.addEventListener("change", showMargin);
margin.addEventListener("input", () => {
    find("margin-value").textContent = short(Number(margin.value));
});
find("watch").addEventListener("change", () => asks({ controls: controls() }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => asks({ look: look() }));
