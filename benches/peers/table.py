"""The table of all points in Markdown, and whether their values agree."""

import math

# The implementations, in the order of the columns.
TITLES = {
    "ours": "this library",
    "ours-cpu": "this library's CPU engine",
    "pml": "pytorch-metric-learning",
    "dense": "dense PyTorch",
    "compile": "torch.compile",
    "burn": "Burn, wgpu",
    "burn-flex": "Burn, flex",
}
MIB = 2**20
TOLERANCE = 1e-4
WRONG = "wrong value"
# It weighs every pair by the number of triplets that the pair is in.
OTHER_DEFINITIONS = {("pml", "margin")}


def check_values(records):
    """The records; where the value differs from that of the first implementation of its point, as an error."""
    first = {}
    checked = []
    for record in records:
        if "error" not in record and (record["impl"], record["loss"]) not in OTHER_DEFINITIONS:
            name, value = first.setdefault((record["loss"], record["n"]), (record["impl"], record["value"]))
            # A value that is not a number agrees with none, itself included.
            if not math.isclose(record["value"], value, rel_tol=TOLERANCE):
                problem = f"{WRONG}: {record['value']:.7g}, that of {TITLES[name]} is {value:.7g}"
                record = record | {"error": problem}
        checked.append(record)
    return checked


def markdown(head, records, missing):
    """`head` is the first line; `missing` says of implementations that are not there how to get them."""
    names = [name for name in TITLES if any(record["impl"] == name for record in records)]
    cells = {(record["loss"], record["n"], record["impl"]): record for record in records}
    points = list(dict.fromkeys((record["loss"], record["n"]) for record in records))
    order = list(dict.fromkeys(loss for loss, _ in points))
    points.sort(key=lambda point: (order.index(point[0]), point[1]))
    sections = [head, EXPLANATION, rows(names, points, cells), legend(names, records, missing), notes(records)]
    return "\n\n".join(filter(None, sections)) + "\n"


EXPLANATION = (
    "Medians of forward and backward in milliseconds, their ratios to those of this library (above 1x this library is "
    "faster), and peak memory in MiB."
)


def rows(names, points, cells):
    base = base_of(names)
    titles = ["loss", "N"]
    for name in names:
        titles += [f"{TITLES[name]} ms", *([] if name == base else ["ratio"]), "MiB"]
    lines = [titles, ["---"] + ["---:"] * (len(titles) - 1)]
    for loss, n in points:
        ours = cells.get((loss, n, base))
        line = [loss, f"{n:,}"]
        for name in names:
            line += columns(cells.get((loss, n, name)), ours, name == base)
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def base_of(names):
    """What ratios are to: this library, or its CPU engine where that alone has run."""
    return "ours-cpu" if "ours-cpu" in names and "ours" not in names else "ours"


def columns(record, ours, is_ours):
    """Time, ratio except of this library itself, memory."""
    ratio = [] if is_ours else [""]
    if record is None:
        return ["", *ratio, ""]
    if "error" in record:
        return [short(record["error"]), *ratio, ""]
    if not is_ours and has_time(ours):
        ratio = [times(record["ms_median"] / ours["ms_median"])]
    memory = record.get("memory_bytes")
    return [number(record["ms_median"]), *ratio, "" if memory is None else number(memory / MIB)]


def has_time(record):
    return record is not None and "error" not in record


def short(error):
    """What fits into a cell."""
    known = (WRONG, "out of memory", "over ")
    return error.split(":")[0] if error.startswith(known) else "failed"


def number(value, digits=3):
    """So many digits, zeros before the first one included; more where the integer part has more."""
    before = len(str(int(value))) if value >= 1 else 0
    return f"{value:,.{max(0, digits - before)}f}"


def times(ratio):
    return f"{number(ratio, 2)}x"


def legend(names, records, missing):
    """What each implementation ran on, and which are not there."""
    lines = []
    for name in names:
        places = dict.fromkeys(record["on"] for record in records if record["impl"] == name and record["on"])
        lines.append(f"- {TITLES[name]}: {'; '.join(places) or 'no result'}")
    lines += [f"- {TITLES[name]}: not there; `{how}`" for name, how in missing.items()]
    return "\n".join(lines)


def notes(records):
    """Every error with the points that have it."""
    points = {}
    for record in records:
        if "error" in record:
            points.setdefault((record["impl"], record["error"]), []).append(f"{record['loss']} {record['n']:,}")
    lines = [f"- {TITLES[name]}, {', '.join(where)}: {error}" for (name, error), where in points.items()]
    return "\n".join(["Without a figure:", "", *lines]) if lines else ""
