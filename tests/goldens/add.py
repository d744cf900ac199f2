"""Adds a case to cases.json: the inputs of another case with another loss or other settings.

    python3 tests/goldens/add.py hinge_mean_signs my_hinge_mean_signs '{"loss": "MyHinge"}'

It needs nothing but Python. What is left out of the JSON form is that of the other case. The formulas are those of
weights.py, `TERMS`, for an anchor's terms, and `POINTWISE` below: a loss that is new has its own there first. Before
anything is written, the other case has to come out as cases.json has it.
"""

import json
import sys

from weights import HERE, TERMS, Number, Problem, absolute, check, evaluate, log_sum_exp, read, relu
from weights import slopes, softplus, write

OWN_KEYS = ("loss", "distance", "normalize", "reduction", "mining", "form")


def huber(r, delta):
    return 0.5 * r * r if abs(r.value) <= delta else delta * (absolute(r) - delta / 2)


# The term of a value x with its target t and the parameters p.
POINTWISE = {
    "MeanSquaredError": lambda x, t, p: (x - t) * (x - t),
    "Huber": lambda x, t, p: huber(x - t, p["delta"]),
    "Hinge": lambda x, t, p: relu(1 - t * x),
    "BinaryCrossEntropy": lambda x, t, p: softplus(x) - t * x,
    "L1": lambda x, t, p: p["strength"] * absolute(x),
    "L2": lambda x, t, p: p["strength"] * x * x,
    "ElasticNet": lambda x, t, p: p["l1_strength"] * absolute(x) + p["l2_strength"] * x * x,
}

# Greater than 0 by their definition, though f64 may round them to it.
SMOOTH = ("BinaryCrossEntropy", "CrossEntropy", "UniformEntropy")

# The term of a row of values with its class.
POINTWISE_ROWS = {
    "CrossEntropy": lambda row, label: log_sum_exp(row) - row[label],
    "UniformEntropy": lambda row, label: sum(log_sum_exp(row) - x for x in row),
}


def of_values(case):
    """What a pointwise case must give."""
    Number.tape.clear()
    name, (n, d) = case["loss"], (case["shapes"][key] for key in "nd")
    values = [Number(x) for x in read(case["inputs"]["embeddings"])]
    if name in POINTWISE_ROWS:
        labels = read(case["inputs"]["labels"]) if case["inputs"]["labels"] else [0] * n
        terms = [POINTWISE_ROWS[name](values[i * d : (i + 1) * d], labels[i]) for i in range(n)]
    else:
        targets = read(case["inputs"]["targets"]) if case["inputs"]["targets"] else [0.0] * n * d
        terms = [POINTWISE[name](x, t, case["parameters"]) for x, t in zip(values, targets)]
    nonzero = sum(t.value > 0 or name in SMOOTH for t in terms)
    loss = sum(terms, Number(0)) / {"Sum": 1, "Mean": len(terms), "MeanNonZero": max(nonzero, 1)}[case["reduction"]]
    result = {"loss": loss.value, "terms": len(terms), "nonzero_terms": nonzero, "gradient": slopes(loss, values)}
    if name in POINTWISE_ROWS:
        result["per_anchor"] = [term.value for term in terms]
    return result


def of_anchors(case):
    """What a case of anchors must give."""
    result = evaluate(case)
    problem = Problem(case)
    terms = [term for i in range(problem.n) for term in TERMS[case["loss"]](problem, i)]
    kinds = [term if isinstance(term, tuple) else (term, "") for term in terms]
    halves = 2 if case["loss"] == "LiftedStructured" else 1
    count = lambda *of: sum(term.value > 0 for term, kind in kinds if kind in of) // halves
    result |= {"terms": len(terms) // halves, "nonzero_terms": count("", "+", "-")}
    result |= {"nonzero_positive_terms": count("+"), "nonzero_negative_terms": count("-")}
    if case["mode"] == "scores":
        return result
    for name, columns in (("positive", problem.positives), ("negative", problem.negatives)):
        met = [problem.distances[i][j].value for i in range(problem.n) for j in columns[i]]
        result[f"{name}_pairs"] = len(met)
        result[f"mean_{name}_distance"] = sum(met) / max(len(met), 1)
    return result


def computed(case):
    return of_values(case) if case["mode"] == "pointwise" else of_anchors(case)


def shape_of(key, case, values):
    d = case["shapes"]["d"]
    return [len(values) // d, d] if key in ("gradient", "gradient_references") else [len(values)]


def made(base, name, settings):
    """The case with the inputs of `base`; a number or a file wherever `base` has one, else null."""
    own = {key: settings[key] for key in OWN_KEYS if key in settings}
    is_other = own.get("loss", base["loss"]) != base["loss"]
    parameters = {} if is_other else base["parameters"]
    parameters = parameters | {key: value for key, value in settings.items() if key not in OWN_KEYS}
    case = {**base, **own, "name": name, "parameters": parameters, "kink_distance": None, "gradcheck": False}
    case["expected"] = dict(base["expected"])
    for key, value in computed(case).items():
        if isinstance(value, list) and base["expected"].get(key) is not None:
            case["expected"][key] = f"expected/{name}.{key}.npy"
            write(case["expected"][key], "d", shape_of(key, case, value), value)
        elif not isinstance(value, list) and key in base["expected"]:
            case["expected"][key] = value
    return case


def main(base, name, settings):
    path = HERE / "cases.json"
    text = path.read_text()
    cases = json.loads(text)["cases"]
    assert name not in [case["name"] for case in cases], f"{name} is there already"
    base = next(case for case in cases if case["name"] == base)
    check(base, computed(base))
    case = made(base, name, json.loads(settings))
    # At the end: weights.py draws by the place of a case.
    head, end = text.rstrip().removesuffix("]}"), "\n]}\n"
    path.write_text(head.rstrip() + ",\n" + json.dumps(case) + end)
    print(case["name"], case["expected"]["loss"])


if __name__ == "__main__":
    main(*sys.argv[1:])
