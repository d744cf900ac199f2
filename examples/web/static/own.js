import { adapterOf, begin, counted, fill, find, short, tell, use } from "./common.js";

const ownState = find("own-state");
const evaluate = find("own-start");
let isComputing = false;

// Of the classes: red, green and blue.
let palette = [];

/** Offers the losses, with their settings. */
export function showLosses(losses, colours) {
    palette = colours;
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
        return [(least + most) / 2, most - least || 1];
    };
    const [[middle, wide], [centre, high]] = [range(0), range(1)];
    // One scale for both, so that distances are those of the plane.
    const scale = Math.min((width - 2 * margin) / wide, (height - 2 * margin) / high);
    const order = new Map([...new Set(classes)].sort((one, other) => one - other).map((name, at) => [name, at]));
    context.clearRect(0, 0, width, height);
    classes.forEach((name, row) => {
        context.fillStyle = `rgb(${palette[order.get(name) % palette.length].join(" ")})`;
        const x = width / 2 + scale * (points[2 * row] - middle);
        const y = height / 2 - scale * (points[2 * row + 1] - centre);
        context.beginPath();
        context.arc(x, y, 3, 0, 7);
        context.fill();
    });
    const colours = order.size > palette.length ? `${palette.length} colours in turn` : "one colour a class";
    const words = `${counted(classes.length)} rows of ${counted(order.size)} classes as points in the plane of their two principal components, ${colours}`;
    canvas.setAttribute("aria-label", words);
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

function compute(computes) {
    isComputing = computes;
    use(evaluate, !computes);
}

find("own").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isComputing) return;
    find("own-found").hidden = true;
    find("scatter").hidden = true;
    const [[embeddings], [labels]] = [find("embeddings").files, find("labels").files];
    if (!embeddings || !labels) {
        return tell(ownState, "Choose a file of embeddings and a file of labels.", true);
    }
    compute(true);
    tell(ownState, "Computing.");
    try {
        await adapterOf();
        const buffers = await Promise.all([embeddings.arrayBuffer(), labels.arrayBuffer()]);
        const task = { task: "own", embeddings: buffers[0], labels: buffers[1], objective: find("objective").value };
        const hear = (data) => {
            worker.terminate();
            compute(false);
            if (data.problem) return tell(ownState, data.problem, true);
            showOwn(data);
            tell(ownState, "Done.");
        };
        const worker = begin(task, hear, buffers);
    } catch (problem) {
        compute(false);
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
