// What is seen of the page: facts, which are judged elsewhere. Runs before the page's own code.
globalThis.eyes = (() => {
    const find = (id) => document.getElementById(id);
    const nameOf = (element) => (element.id ? `#${element.id}` : `${element.localName} “${element.textContent.trim().slice(0, 40)}”`);
    const isSeen = (element) => element.checkVisibility({ visibilityProperty: true });

    // Red, green and blue from 0 to 255, and how opaque.
    function channels(colour) {
        const [red, green, blue, alpha = 1] = colour.match(/^rgba?\((.*)\)$/)[1].match(/[\d.]+/g).map(Number);
        return [red, green, blue, alpha];
    }

    const over = (colour, ground) => [0, 1, 2].map((at) => colour[at] * colour[3] + ground[at] * (1 - colour[3]));

    function groundOf(element) {
        const layers = [];
        for (let one = element; one; one = one.parentElement) layers.unshift(channels(getComputedStyle(one).backgroundColor));
        return layers.reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
    }

    // Source: Web Content Accessibility Guidelines 2.2, "relative luminance" and "contrast ratio".
    function luminance(colour) {
        const linear = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    }

    function contrast(colour, element) {
        const ground = groundOf(element);
        const [dark, light] = [over(channels(colour), ground), ground].map(luminance).sort((one, other) => one - other);
        return (light + 0.05) / (dark + 0.05);
    }

    /** Every text that is seen, but of what cannot be used now, with its contrast. */
    function texts() {
        const found = [];
        const see = (element, text) => {
            if (!isSeen(element) || element.closest("[aria-disabled=true], :disabled")) return;
            const { color, opacity } = getComputedStyle(element);
            const contrastOf = opacity === "1" ? contrast(color, element) : 0;
            found.push({ text: `${nameOf(element)}: ${text.slice(0, 40)}`, contrast: contrastOf });
        };
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const { parentElement, data } = walker.currentNode;
            if (data.trim() && !parentElement.closest("option, script, noscript")) see(parentElement, data.trim());
        }
        for (const control of document.querySelectorAll("select, input")) see(control, control.value);
        return found;
    }

    function controls() {
        const all = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";
        return [...document.querySelectorAll(all)].filter((control) => isSeen(control) && !control.disabled);
    }

    /** What has the focus, where it is, and how it is seen. */
    function focused() {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const { top, bottom } = element.getBoundingClientRect();
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
        return {
            name: nameOf(element),
            place: [...document.querySelectorAll("*")].indexOf(element),
            top: top + scrollY,
            bottom: bottom + scrollY,
            isInView: bottom > 0 && top < innerHeight,
            outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
            contrast: contrast(outlineColor, element.parentElement),
        };
    }

    /** How large what a finger touches is. */
    function targets() {
        return controls().map((control) => {
            const { width, height } = control.getBoundingClientRect();
            return { name: nameOf(control), width, height };
        });
    }

    const shown = (id) => {
        const terms = [...find(id).querySelectorAll("dt")];
        return Object.fromEntries(terms.map((term) => [term.textContent, term.nextElementSibling.textContent]));
    };

    // Words that were told, each with its element; when the first result came, in milliseconds since the page was asked for.
    const told = [];
    let first = null;

    function listen() {
        const hear = (element, then) => new MutationObserver(then).observe(element, { childList: true, subtree: true, characterData: true });
        for (const state of document.querySelectorAll("[id$='-state']")) {
            hear(state, () => told.push(`${state.id}: ${state.textContent}`));
        }
        hear(find("found"), () => {
            if (/^1 of/.test(shown("found").cases)) first ??= performance.now();
        });
    }
    document.addEventListener("DOMContentLoaded", listen);

    /** Whether a condition comes true within so many milliseconds. */
    function comes(condition, patience) {
        return new Promise((resolve) => {
            const end = performance.now() + patience;
            const look = () => {
                if (condition()) resolve(true);
                else if (performance.now() > end) resolve(false);
                else setTimeout(look, 20);
            };
            look();
        });
    }

    return { find, texts, controls: () => controls().map(nameOf), focused, targets, shown, told, comes, get first() { return first; } };
})();
