"""Makes weights.json, golden cases whose anchors, pairs or triplets have weights, and thresholds.json, those of the mean
of terms within thresholds; by plain formulas and automatic differentiation.

    python3 tests/goldens/weights.py

It needs nothing but Python. Each case is one of cases.json with weights beside its inputs, or with another reduction.
As they are there, the formulas here have to give what cases.json says.
"""

import array
import ast
import json
import math
import random
import struct
from pathlib import Path

from tape import *

HERE = Path(__file__).parent
TOLERANCE = 1e-9
ANCHORS = ["batch", "reference", "prototypes", "scores"]
LISTS = ["pair_rows", "pair_indices", "triplets"]


def unit(row):
    norm = sqrt(sum(x * x for x in row))
    return [x / norm for x in row]


def distance(name, x, y):
    if name == "Euclidean":
        return sqrt(distance("SquaredEuclidean", x, y))
    if name == "SquaredEuclidean":
        return sum((a - b) * (a - b) for a, b in zip(x, y))
    if name == "Manhattan":
        return sum(absolute(a - b) for a, b in zip(x, y))
    inner = sum(a * b for a, b in zip(x, y))
    return 1 - clamp(inner, -1.0, 1.0) if name == "Cosine" else -inner


class Problem:
    """The rows of a case, its distances, and what every anchor meets; of a list every entry is an anchor."""

    def __init__(self, case):
        inputs, self.case = case["inputs"], case
        table = lambda key: read(inputs[key]) if inputs.get(key) else None
        self.n, self.d = case["shapes"]["n"], case["shapes"]["d"]
        leaves = lambda values: [Number(x) for x in values or []]
        self.x, self.y = leaves(table("embeddings")), leaves(table("references"))
        self.labels = table("labels")
        parameters = self.parameters = case["parameters"]
        self.beta = leaves(table("beta"))
        self.scale = Number(parameters["scale"]) if "scale" in parameters else None
        self.bias = Number(parameters["bias"]) if "bias" in parameters else None
        self.centers = parameters.get("centers_per_class", 1)
        mode, name = case["mode"], case["distance"]
        cut = lambda flat: [flat[k : k + self.d] for k in range(0, len(flat), self.d)]
        rows = cut(self.x)
        if mode == "scores":
            self.distances = [[-score for score in row] for row in rows]
        else:
            columns = cut(self.y)
            if case["normalize"] or name == "Cosine":
                rows, columns = [[unit(row) for row in rows] for rows in (rows, columns)]
            if mode in LISTS:
                return self.listed(mode, name, rows, columns, table)
            columns = columns if mode != "batch" else rows
            self.distances = [
                [Number(0) if mode == "batch" and i == j else distance(name, x, y) for j, y in enumerate(columns)]
                for i, x in enumerate(rows)
            ]
        m = len(self.distances[0])
        classes = {"batch": self.labels, "reference": table("reference_labels")}
        self.column_labels = classes.get(mode) or [j // self.centers for j in range(m)]
        kinds = lambda i, same: [
            j for j in range(m) if (self.column_labels[j] == self.labels[i]) == same and (mode != "batch" or i != j)
        ]
        self.positives = [kinds(i, True) for i in range(self.n)]
        self.negatives = [kinds(i, False) for i in range(self.n)]

    def listed(self, mode, name, rows, columns, table):
        if mode == "triplets":
            flat = table("triplets")
            triplets = [flat[k : k + 3] for k in range(0, len(flat), 3)]
            self.distances = [[distance(name, rows[a], rows[j]) for j in (p, n)] for a, p, n in triplets]
            kinds = [([0], [1])] * len(triplets)
        else:
            flat, same = table("pairs") or [], table("same")
            pairs = [(rows[i], rows[j]) for i, j in zip(flat[::2], flat[1::2])] or zip(rows, columns)
            self.distances = [[distance(name, x, y)] for x, y in pairs]
            kinds = [([0], []) if one == 1 else ([], [0]) for one in same]
        self.positives, self.negatives = zip(*kinds)
        self.n = len(kinds)

    def of_anchor(self, i):
        d = self.distances[i]
        return [[d[j] for j in kind[i]] for kind in (self.positives, self.negatives)]

    def similarity(self, d):
        return 1 - d if self.case["distance"] == "Cosine" else -d


def contrastive(problem, i):
    p = problem.parameters
    positives, negatives = problem.of_anchor(i)
    hinges = [(relu(d - p["positive_margin"]), "+") for d in positives]
    hinges += [(relu(p["negative_margin"] - d), "-") for d in negatives]
    return [(h * h if p["power"] == 2 else h, kind) for h, kind in hinges]


def margin(problem, i):
    beta = problem.beta[problem.labels[i] if problem.parameters["beta_per_class"] else 0]
    positives, negatives = problem.of_anchor(i)
    alpha = problem.parameters["alpha"]
    return [(relu(d - beta + alpha), "+") for d in positives] + [(relu(beta - d + alpha), "-") for d in negatives]


def triplet(problem, i):
    positives, negatives = problem.of_anchor(i)
    if not positives or not negatives:
        return []
    mining = problem.case["mining"]
    if mining == "All":
        pairs = [(p, n) for p in positives for n in negatives]
    elif mining == "Hard":
        pairs = [(most(positives), least(negatives))]
    else:
        beyond = lambda p: [n for n in negatives if n.value > p.value]
        pairs = [(p, least(beyond(p)) if beyond(p) else most(negatives)) for p in positives]
    if problem.parameters["soft"]:
        return [softplus(p - n) for p, n in pairs]
    return [relu(p - n + problem.parameters["margin"]) for p, n in pairs]


def multi_margin(problem, i):
    d, p = problem.distances[i], problem.parameters
    own = problem.labels[i]
    hinges = [relu(d[own] - d[c] + p["margin"]) for c in range(len(d)) if c != own]
    terms = [h * h if p["power"] == 2 else h for h in hinges]
    return [sum(terms) / (len(d) if p["divide_by_classes"] else 1)]


def nt_xent(problem, i):
    positives, negatives = problem.of_anchor(i)
    t = problem.parameters["temperature"]
    return [log_sum_exp([-d / t for d in [p, *negatives]]) + p / t for p in positives]


def sup_con(problem, i):
    positives, negatives = problem.of_anchor(i)
    t = problem.parameters["temperature"]
    if not positives:
        return []
    level = log_sum_exp([-d / t for d in positives + negatives])
    return [sum(level + p / t for p in positives) / len(positives)]


def generalized_lifted(problem, i):
    positives, negatives = problem.of_anchor(i)
    if not positives or not negatives:
        return []
    m = problem.parameters["margin"]
    return [relu(log_sum_exp(positives) + log_sum_exp([m - d for d in negatives]))]


def nca(problem, i):
    positives, negatives = problem.of_anchor(i)
    t = problem.parameters["temperature"]
    if not positives:
        return []
    of_positives = log_sum_exp([-d / t for d in positives])
    return [softplus(log_sum_exp([-d / t for d in negatives]) - of_positives) if negatives else Number(0)]


def multi_similarity(problem, i):
    p = problem.parameters
    positives, negatives = problem.of_anchor(i)
    if not positives and not negatives:
        return []
    if p["epsilon"] is not None:
        far = most(positives).value if positives and negatives else -math.inf
        near = least(negatives).value if positives and negatives else math.inf
        positives = [d for d in positives if d.value + p["epsilon"] > near]
        negatives = [d for d in negatives if d.value - p["epsilon"] < far]
    side = lambda rate, heights: log_sum_exp([Number(0), *(rate * h for h in heights)]) / rate
    return [side(p["alpha"], [d - p["base"] for d in positives]) + side(p["beta"], [p["base"] - d for d in negatives])]


def circle(problem, i):
    positives, negatives = problem.of_anchor(i)
    if not positives or not negatives:
        return []
    m, gamma = problem.parameters["margin"], problem.parameters["gamma"]
    of_positives = [gamma * detached(relu(d + m)) * (d - m) for d in positives]
    of_negatives = [gamma * detached(relu(1 + m - d)) * (1 - m - d) for d in negatives]
    return [softplus(log_sum_exp(of_positives) + log_sum_exp(of_negatives))]


def fast_ap(problem, i):
    positives, negatives = problem.of_anchor(i)
    if not positives:
        return []
    bins = problem.parameters["bins"]
    width = (4 if problem.case["distance"] == "SquaredEuclidean" else 2) / bins
    pulse = lambda d, bin: relu(1 - absolute(d - bin * width) / width)
    before, before_positive, found = Number(0), Number(0), Number(0)
    for bin in range(bins + 1):
        own = sum((pulse(d, bin) for d in positives), Number(0))
        before_positive = before_positive + own
        before = before + own + sum((pulse(d, bin) for d in negatives), Number(0))
        if own.value * before_positive.value > 0:
            found = found + own * before_positive / before
    return [1 - found / len(positives)]


def smooth_ap(problem, i):
    positives, negatives = problem.of_anchor(i)
    if not positives:
        return []
    t = problem.parameters["temperature"]
    terms = []
    for k, p in enumerate(positives):
        among = 1 + sum((sigmoid((p - q) / t) for j, q in enumerate(positives) if j != k), Number(0))
        behind = sum((sigmoid((p - n) / t) for n in negatives), Number(0))
        terms.append(behind / (among + behind))
    return [sum(terms) / len(positives)]


def sig_lip(problem, i):
    positives, negatives = problem.of_anchor(i)
    logit = lambda d: problem.scale * problem.similarity(d) + problem.bias
    terms = [softplus(-logit(d)) for d in positives] + [softplus(logit(d)) for d in negatives]
    return [sum(terms)] if terms else []


def classes(problem, i):
    loss, p = problem.case["loss"], problem.parameters
    k, d = problem.centers, problem.distances[i]
    similarities = []
    for first in range(0, len(d), k):
        own = [problem.similarity(x) for x in d[first : first + k]]
        if loss == "SoftTriple":
            top = most(own).value
            parts = [exp((s - top) / p["gamma"]) for s in own]
            similarities.append(sum(q * s for q, s in zip(parts, own)) / sum(parts))
        else:
            similarities.append(most(own))
    own = problem.labels[i]
    s = similarities[own]
    if loss == "ArcFace":
        m = p["margin"]
        bent = s * math.cos(m) - sqrt(1 - s * s) * math.sin(m)
        similarities[own] = bent if s.value >= -math.cos(m) else s - m * math.sin(m)
    elif loss in ("CosFace", "SoftTriple"):
        similarities[own] = s - p["margin"]
    scale = p["scale"] if loss == "SoftTriple" else problem.scale
    logits = [scale * s for s in similarities]
    return [log_sum_exp(logits) - logits[own]]


def clip(problem, i):
    terms, columns = [], range(len(problem.column_labels))
    logit = lambda i, j: problem.scale * problem.similarity(problem.distances[i][j])
    for p in problem.positives[i]:
        others = [i for i in range(problem.n) if problem.labels[i] != problem.column_labels[p]]
        for rest in ([logit(i, n) for n in problem.negatives[i]], [logit(k, p) for k in others]):
            terms.append(softplus(log_sum_exp(rest) - logit(i, p)) if rest else Number(0))
    return terms


def lifted(problem, i):
    """A term of i and j, of which the pair has half each way: so each has the weight of its anchor."""
    m = problem.parameters["margin"]
    level = lambda i: [m - problem.distances[i][k] for k in problem.negatives[i]]
    terms = []
    for j in problem.positives[i]:
        all = level(i) + level(j)
        join = log_sum_exp if problem.case["form"] == "Smooth" else most
        h = relu(join(all) + problem.distances[i][j]) if all else Number(0)
        terms.append(0.25 * h * h)
    return terms


def proxy_anchor(problem, i):
    """Terms are those of classes: the first anchor has them all."""
    p = problem.parameters
    if i > 0:
        return []
    terms = []
    for c in range(len(problem.distances[0])):
        s = [problem.similarity(row[c]) for row in problem.distances]
        own = [p["alpha"] * (p["margin"] - s[k]) for k in range(problem.n) if problem.labels[k] == c]
        others = [p["alpha"] * (p["margin"] + s[k]) for k in range(problem.n) if problem.labels[k] != c]
        terms += [(softplus(log_sum_exp(own)), "+")] if own else []
        terms.append((softplus(log_sum_exp(others)) if others else Number(0), "-"))
    return terms


TERMS = {
    "Contrastive": contrastive, "Triplet": triplet, "LiftedStructured": lifted, "MultiMargin": multi_margin,
    "Margin": margin, "NtXent": nt_xent, "SupCon": sup_con, "GeneralizedLiftedStructured": generalized_lifted,
    "Nca": nca, "MultiSimilarity": multi_similarity, "Circle": circle, "FastAp": fast_ap, "SmoothAp": smooth_ap,
    "NormalizedSoftmax": classes, "CosFace": classes, "ArcFace": classes, "SoftTriple": classes, "SigLip": sig_lip,
    "Clip": clip, "ProxyAnchor": proxy_anchor,
}  # fmt: skip


def evaluate(case, weights=None):
    """What the case must give where anchor i has the weight `weights[i]`."""
    Number.tape.clear()
    problem = Problem(case)
    weights = weights or [1] * problem.n
    terms = [TERMS[case["loss"]](problem, i) for i in range(problem.n)]
    kinds = [[term if isinstance(term, tuple) else (term, "") for term in of_row] for of_row in terms]
    of_kind = lambda kind: [(i, t) for i, row in enumerate(kinds) for t, k in row if kind in ("", k)]
    halves = 2 if case["loss"] == "LiftedStructured" else 1
    reduction, thresholds = case["reduction"], {}
    if isinstance(reduction, dict):
        [(reduction, thresholds)] = reduction.items()
    # Terms are compared without their weights.
    low, high = thresholds.get("low", -math.inf), thresholds.get("high", math.inf)
    counts = lambda t: low < halves * t.value < high if thresholds else t.value > 0

    def reduced(terms):
        # A mean is over as many terms as without weights.
        counted = sum(counts(t) for _, t in terms)
        count = {"Sum": 1, "Mean": len(terms), "HadsellMean": 2 * len(terms)}.get(reduction, counted)
        count = count / (halves if reduction != "Sum" else 1)
        taken = (weights[i] * t for i, t in terms if counts(t) or not thresholds)
        return sum(taken, Number(0)) / max(count, 1)

    is_split = case["loss"] == "Contrastive" and reduction in ("MeanNonZero", "MeanWithin")
    is_split |= case["loss"] == "ProxyAnchor" and reduction != "Sum"
    loss = reduced(of_kind("+")) + reduced(of_kind("-")) if is_split else reduced(of_kind(""))
    leaves = problem.x + problem.y + problem.beta + [one for one in (problem.scale, problem.bias) if one]
    found = iter(slopes(loss, leaves))
    take = lambda leaves: [next(found) for _ in leaves]
    result = {"loss": loss.value, "gradient": take(problem.x), "gradient_references": take(problem.y)}
    result["gradient_beta"] = take(problem.beta)
    result["gradient_scale"] = next(found) if problem.scale else None
    result["gradient_bias"] = next(found) if problem.bias else None
    taken = lambda row: sum(t.value for t, _ in row if counts(t) or not thresholds)
    result["per_anchor"] = [weights[i] * taken(row) for i, row in enumerate(kinds)]
    if thresholds:
        counted = [kind for row in kinds for t, kind in row if counts(t)]
        result["nonzero_terms"] = len(counted) // halves
        result["nonzero_positive_terms"] = counted.count("+")
        result["nonzero_negative_terms"] = counted.count("-")
    return result


def values_of(case):
    """The terms, ascending, each value once."""
    problem = Problem(case)
    terms = [term for i in range(problem.n) for term in TERMS[case["loss"]](problem, i)]
    halves = 2 if case["loss"] == "LiftedStructured" else 1
    return sorted({halves * (term[0] if isinstance(term, tuple) else term).value for term in terms})


# Files.


def read(path):
    data = (HERE / path).read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + size].decode())
    code = {"<f4": "f", "<u4": "I", "<f8": "d"}[header["descr"]]
    return array.array(code, data[10 + size :]).tolist()


def write(path, code, shape, values):
    descr = {"f": "<f4", "d": "<f8"}[code]
    shape = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    (HERE / path).write_bytes(data + array.array(code, values).tobytes())


def is_near(expected, actual):
    largest = max(map(abs, expected), default=0.0)
    return len(expected) == len(actual) and all(abs(a - b) <= TOLERANCE * largest for a, b in zip(expected, actual))


def check(case, result):
    """Demands what cases.json says of the case without weights."""
    for key, expected in case["expected"].items():
        if key not in result or expected is None:
            continue
        expected = read(expected) if isinstance(expected, str) else [expected]
        actual = result[key] if isinstance(result[key], list) else [result[key]]
        assert is_near(expected, actual), f"{case['name']}: {key}"


def with_weights(case, draw):
    """The case with weights and these weights: of classes where these are few, in every other case, else of rows, pairs or triplets."""
    inputs = case["inputs"]
    of_anchors = inputs["same"] or inputs["triplets"] or inputs["labels"]
    labels = read(of_anchors)[:: 3 if inputs["triplets"] else 1]
    by_class = draw % 2 == 1 and max(labels) < 32 and case["mode"] in ANCHORS
    stem = (inputs["embeddings"] if case["mode"] in ANCHORS else of_anchors).rsplit(".", 2)[0]
    stem += "" if case["mode"] in ANCHORS else f".{case['mode']}"
    name = "class_weights" if by_class else "weights"
    generator = random.Random(stem)
    count = max(labels) + 1 if by_class else len(labels)
    # Multiples of 1/8 are exact in f32; some are 0.
    table = [max(generator.randrange(-2, 17), 0) / 8 for _ in range(count)]
    path = f"{stem}.{name}.npy"
    write(path, "f", [count], table)
    inputs = {**case["inputs"], "weights": None, "class_weights": None, name: path}
    weights = [table[label] for label in labels] if by_class else table
    return {**case, "name": f"{case['name']}_{name}", "tags": ["weights"], "inputs": inputs}, weights


def between(values, part):
    """An f32 between two values, about so far up among them, where they are farthest apart."""
    first, last = (round((part + off) * (len(values) - 1)) for off in (-0.15, 0.15))
    k = max(range(first, max(last, first + 1)), key=lambda k: values[k + 1] - values[k])
    threshold = struct.unpack("f", struct.pack("f", 0.5 * (values[k] + values[k + 1])))[0]
    assert values[k] < threshold - 1e-4 * abs(threshold) and threshold + 1e-4 * abs(threshold) < values[k + 1]
    return threshold


def thresholded(case, draw):
    """The case with the mean of terms within thresholds: with both, or one of them; every third with weights."""
    weights = None
    if draw % 3 == 2 and takes_weights(case):
        case, weights = with_weights(case, draw)
    values = values_of(case)
    thresholds = {"low": between(values, 0.3), "high": between(values, 0.75)}
    if draw % 4 > 1:
        del thresholds["low" if draw % 4 == 2 else "high"]
    made = {**case, "name": f"{case['name']}_within", "reduction": {"MeanWithin": thresholds}}
    return expecting({**made, "tags": case["tags"] + ["thresholds"]}, weights)


def expecting(case, weights):
    """The case with what it must give."""
    result = evaluate(case, weights)
    made = {**case, "expected": dict(case["expected"])}
    for key, value in result.items():
        before = case["expected"].get(key)
        if isinstance(before, str):
            path = f"expected/{made['name']}.{key}.npy"
            shape = [len(value) // case["shapes"]["d"], case["shapes"]["d"]] if "gradient" in key else [len(value)]
            write(path, "d", [len(value)] if key == "gradient_beta" else shape, value)
            made["expected"][key] = path
        elif before is not None:
            made["expected"][key] = value
    return made


def chosen(cases, modes):
    """One case of every loss in every one of these modes, with every mining and form."""
    seen = set()
    for case in cases:
        p = case["parameters"]
        key = (case["loss"], case["mode"], case["mining"], case["form"], p.get("soft"), p.get("beta_per_class"))
        key += (p.get("epsilon") is None, p.get("centers_per_class", 1) > 1, p.get("sampling"))
        key += (case["reduction"] if case["loss"] == "Contrastive" and case["mode"] == "batch" else None,)
        if case["loss"] in TERMS and case["mode"] in modes:
            is_drawn = p.get("sampling") == "DistanceWeighted"
            if not case["tags"] and key not in seen and not is_drawn:
                seen.add(key)
                yield case


def takes_weights(case):
    return case["loss"] != "ProxyAnchor"


def came_later(case):
    """Whether a loss or mining takes thresholds since there are cases of the others, which stay as they are before it."""
    return case["loss"] in ("LiftedStructured", "Margin", "NtXent", "Clip", "ProxyAnchor") or case["mining"] == "All"


def to_threshold(cases):
    """One case of every loss and mining; of those that came later one of every form. Of few values none is apart."""
    seen = set()
    for case in sorted(filter(lambda case: case["expected"]["nonzero_terms"] > 8, cases), key=came_later):
        p, is_list = case["parameters"], case["mode"] in LISTS
        key = (case["loss"], case["mining"], is_list and case["loss"] == "Contrastive")
        if came_later(case):
            key += (case["mode"], case["form"], p.get("soft"), p.get("beta_per_class"))
        if key not in seen:
            seen.add(key)
            yield case


def write_index(name, cases):
    index = {"format": 1, "made_by": "weights.py", "cases": cases}
    (HERE / name).write_text(json.dumps(index, indent=1) + "\n")
    print(name, len(cases), "cases")


def main():
    cases = json.loads((HERE / "cases.json").read_text())["cases"]
    anchors, lists = list(chosen(cases, ANCHORS)), list(chosen(cases, LISTS))
    for case in anchors + lists:
        check(case, evaluate(case))
    weighed = enumerate(filter(takes_weights, anchors + lists))
    write_index("weights.json", [expecting(*with_weights(case, draw)) for draw, case in weighed])
    # Lists come first: they stay as they are where there is one more loss.
    within = enumerate(to_threshold(lists + anchors))
    write_index("thresholds.json", [thresholded(case, draw) for draw, case in within])


if __name__ == "__main__":
    main()
