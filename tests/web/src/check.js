// Does on the page what a visitor does, and posts what comes of it.
const { task, ...choices } = Object.fromEntries(new URLSearchParams(location.search));
const find = (id) => document.getElementById(id);

// The longest task of the page: so long it was not drawn, and could not be used.
let longest = 0;
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
}).observe({ type: "longtask", buffered: true });

/** Resolves when the element says what is waited for. */
function said(element, isIt) {
    return new Promise((resolve) => {
        const look = () => isIt(element) && (observer.disconnect(), resolve(element.textContent));
        const observer = new MutationObserver(look);
        observer.observe(element, { subtree: true, childList: true, attributes: true, characterData: true });
        look();
    });
}

const file = (name, bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name));
    return transfer.files;
};

/** The first 300 rows of an array of 1797: the header names them, in as many letters. */
async function first(name, bytesOfRow) {
    const bytes = new Uint8Array(await (await fetch(name)).arrayBuffer());
    const begin = 10 + bytes[8] + 256 * bytes[9];
    const header = new TextDecoder("latin1").decode(bytes.slice(10, begin)).replace("1797", " 300");
    bytes.set(new TextEncoder().encode(header), 10);
    return bytes.slice(0, begin + 300 * bytesOfRow);
}

const isProblem = (element) => element.classList.contains("problem");

const tasks = {
    async validate() {
        find("selection").add(new Option("for a test", choices.selection, true, true));
        find("validate").requestSubmit();
        await said(find("found"), ({ textContent }) => /cases1 of/.test(textContent));
        // Since the page was asked for.
        const first = performance.now();
        const told = await said(find("state"), (state) => isProblem(state) || /within|failed/.test(state.textContent));
        return { told, first, found: find("found").innerText, failures: find("failures").innerText };
    },

    async cancel() {
        find("validate").requestSubmit();
        await said(find("cancel"), ({ disabled }) => !disabled);
        find("cancel").click();
        return { told: find("state").textContent, again: !find("validate").querySelector("button").disabled };
    },

    async watch() {
        await said(find("watch-loss"), ({ options }) => options.length > 0);
        find("watch").requestSubmit();
        const shown = () => {
            const terms = [...find("watch-found").querySelectorAll("dt")];
            return Object.fromEntries(terms.map((term) => [term.textContent, term.nextElementSibling.textContent]));
        };
        const steps = () => Number((shown().steps ?? "0").replaceAll(",", ""));
        const after = async (count) => {
            await said(find("watch").parentElement, () => isProblem(find("watch-state")) || steps() >= count);
            return shown();
        };
        const choose = (name, value) => {
            find(name).value = value;
            find(name).dispatchEvent(new Event("change", { bubbles: true }));
        };
        const trained = await after(60);
        choose("watch-loss", "Triplet");
        choose("watch-mining", "SemiHard");
        const retrained = await after(steps() + 30);
        return { told: find("watch-state").textContent, trained, retrained };
    },

    async bench() {
        find("largest").value = "256";
        find("bench").requestSubmit();
        const told = await said(find("bench-state"), (state) => isProblem(state) || /timed/.test(state.textContent));
        return { told, rows: find("times").tBodies[0].rows.length, limits: find("bench-limits").innerText };
    },

    async own() {
        await said(find("loss"), ({ options }) => options.length > 0);
        find("embeddings").files = file("digits.npy", await first("digits.npy", 256));
        find("labels").files = file("labels.npy", await first("digits-labels.npy", 4));
        find("own").requestSubmit();
        const told = await said(find("own-state"), (state) => isProblem(state) || state.textContent === "Done.");
        return { told, found: find("own-found").textContent, drawn: !find("scatter").hidden };
    },

    async wrong() {
        await said(find("loss"), ({ options }) => options.length > 0);
        find("embeddings").files = file("wrong.npy", "no array at all");
        find("labels").files = file("labels.npy", "neither");
        find("own").requestSubmit();
        return { told: await said(find("own-state"), isProblem) };
    },

    async missing() {
        return { told: await said(find("missing"), ({ hidden }) => !hidden) };
    },
};

const found = await tasks[task]();
await fetch("report", { method: "POST", body: JSON.stringify({ ...found, longest }) });
