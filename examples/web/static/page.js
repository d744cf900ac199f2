// What is done when the page is opened. The parts of the page look after themselves.
import "./bench.js";
import { adapterOf, begin, find, tell } from "./common.js";
import { showLosses } from "./own.js";
import "./validate.js";
import { showChoices } from "./watch.js";

adapterOf().catch((problem) => {
    find("missing").textContent = `${problem.message} Nothing can be computed here.`;
    find("missing").hidden = false;
});

const listing = begin({ task: "choices" }, ({ losses, choices, problem }) => {
    listing.terminate();
    if (problem) return tell(find("own-state"), problem, true);
    showLosses(losses, choices.palette);
    showChoices(choices);
});
