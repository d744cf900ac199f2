"""Times this library and what else one would use on the same inputs; writes one table and two pictures.

    python3 benches/peers/run.py --n 256,512,1024,2048 --d 128 --device cpu --out FOLDER

README.md says what is run and how to install it. One process at a time: an implementation, a loss and a size. FOLDER gets
peers.jsonl (a line for each), peers.md, time.svg and memory.svg, after every point anew, and the inputs.
"""

import argparse
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Callable

import numpy as np

import picture
import table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BENCHED = ("contrastive", "triplet_all", "triplet_hard", "lifted", "multi_margin", "margin", "ntxent", "supcon", "sig_lip")
# Losses with their defaults, as this library calls them, for which dense_torch_2.py has the dense way.
DEFAULTS = {
    "multi_similarity": "MultiSimilarity",
    "circle": "Circle",
    "generalized_lifted": "GeneralizedLiftedStructured",
    "nca": "Nca",
    "smooth_ap": "SmoothAp",
    "fast_ap": "FastAp",
    "clip": "Clip",
    "co_sent": "CoSent",
    "normalized_softmax": "NormalizedSoftmax",
    "cos_face": "CosFace",
    "arc_face": "ArcFace",
    "soft_triple": "SoftTriple",
    "proxy_anchor": "ProxyAnchor",
}
LOSSES = (*BENCHED, *DEFAULTS)
# The file of the prototypes that a loss of classes takes.
PROTOTYPES = {name: "prototypes" for name in ("multi_margin", "normalized_softmax", "cos_face", "arc_face", "proxy_anchor")}
PROTOTYPES["soft_triple"] = "centers"
CENTERS = 10
# What is written for pytorch-metric-learning and for Burn has no such loss.
LACKING = {name: ("pml", "burn", "burn-flex") for name in ("sig_lip", *DEFAULTS)}
CLASS_SIZE = 8
PIP = "pip install torch pytorch-metric-learning numpy"
CARGO = "cargo build --release"


@dataclass
class Point:
    loss: str
    n: int
    inputs: Path


@dataclass
class Implementation:
    command: Callable[[Point], list]
    how_to_get: str
    is_there: bool
    environment: dict


# ------------------------------------------------------------------------------------------------ implementations


def implementations(arguments):
    return {
        "ours": ours(arguments),
        "ours-cpu": ours_on_cpu(arguments),
        "pml": in_torch("pml", ("torch", "pytorch_metric_learning"), arguments),
        "dense": in_torch("dense", ("torch",), arguments),
        "compile": in_torch("compile", ("torch",), arguments),
        "burn": in_burn("wgpu", arguments),
        "burn-flex": in_burn("flex", arguments),
    }


def ours(arguments):
    adapter = arguments.adapter or ("llvmpipe" if arguments.device == "cpu" else None)
    return in_program(arguments, ["--adapter", adapter] if adapter else [], {})


def ours_on_cpu(arguments):
    return in_program(arguments, ["--backend", "cpu"], {"RAYON_NUM_THREADS": str(arguments.threads)})


def in_program(arguments, chosen, environment):
    program = arguments.ours

    def command(point):
        # The program refuses what its loss does not take.
        files = {"embeddings": "embeddings", "labels": "labels"}
        if point.loss in PROTOTYPES:
            files["prototypes"] = PROTOTYPES[point.loss]
        inputs = [part for option, name in files.items() for part in (f"--{option}", str(point.inputs / f"{name}.npy"))]
        objective = DEFAULTS.get(point.loss, f"bench:{point.loss}")
        return [program, "bench", "--json", "--objective", objective, "--seconds", str(arguments.seconds), *inputs, *chosen]

    return Implementation(command, CARGO, program.is_file(), environment)


def in_torch(name, modules, arguments):
    def command(point):
        script = [sys.executable, HERE / "bench_torch.py", "--impl", name, "--device", arguments.device]
        limits = ["--seconds", str(arguments.seconds), "--max-gib", str(arguments.max_gib), "--threads", str(arguments.threads)]
        prototypes = ["--prototypes", f"{PROTOTYPES.get(point.loss, 'prototypes')}.npy"]
        return [*script, "--loss", point.loss, "--inputs", point.inputs, *prototypes, *limits]

    return Implementation(command, PIP, all(importlib.util.find_spec(module) for module in modules), {})


def in_burn(backend, arguments):
    program = arguments.burn

    def command(point):
        what = ["--backend", backend, "--loss", point.loss]
        return [program, *what, "--inputs", point.inputs, "--seconds", str(arguments.seconds)]

    environment = {"CUBECL_WGPU_DEFAULT_DEVICE": "Cpu"} if arguments.device == "cpu" else {}
    return Implementation(command, f"cd benches/peers/burn && {CARGO}", program.is_file(), environment)


# ---------------------------------------------------------------------------------------------------------- points


def make_inputs(folder, n, d):
    """Standard normal rows divided by their norms, labels i modulo the number of classes, unit prototypes and centres."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = max(1, n // CLASS_SIZE)
    random = np.random.Generator(np.random.PCG64([n, d]))
    for name, rows in (("embeddings", n), ("prototypes", classes), ("centers", CENTERS * classes)):
        values = random.standard_normal((rows, d))
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        np.save(folder / f"{name}.npy", values.astype(np.float32))
    np.save(folder / "labels.npy", (np.arange(n) % classes).astype(np.uint32))


def measure(command, environment, limit):
    """The last JSON object that a program prints, or an error; ends the program after `limit` seconds."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, complaints = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return {"error": f"over {limit:g} s"}
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: the program and what it started
            process.communicate()
    if process.returncode != 0:
        return {"error": reason(complaints, process.returncode)}
    return json.loads(output.splitlines()[-1])


def reason(complaints, code):
    """The line that says what went wrong."""
    lines = [line.strip() for line in complaints.splitlines() if line.strip() and not line.startswith("note:")]
    text = lines[-1] if lines else f"ended with {code}"
    out_of_memory = any("memory" in line.lower() or "bad_alloc" in line for line in lines)
    return f"out of memory: {text}" if out_of_memory else text


def record_of(name, point, d, result):
    """With the same keys from every implementation."""
    where = result.get("on") or ", ".join(result[key] for key in ("adapter", "api") if result.get(key)) or result.get("backend", "")
    keys = ("ms_median", "ms_min", "runs", "memory_bytes", "value", "error")
    kept = {key: result[key] for key in keys if key in result}
    return {"impl": name, "loss": point.loss, "n": point.n, "d": d, "on": where} | kept


# ---------------------------------------------------------------------------------------------------------- report


def write_report(folder, head, records, missing):
    """Returns whether the values agree."""
    checked = table.check_values(records)
    (folder / "peers.md").write_text(table.markdown(head, checked, missing))
    good = [record for record in checked if "error" not in record]
    for name, title, key, unit, size in (
        ("time", "Time of forward and backward", "ms_median", "ms", 1),
        ("memory", "Peak memory of forward and backward", "memory_bytes", "MiB", table.MIB),
    ):
        points = [picture.Point(r["loss"], r["impl"], r["n"], r[key] / size) for r in good if r.get(key)]
        (folder / f"{name}.svg").write_text(picture.draw(title, unit, points))
    return not any(table.WRONG in record.get("error", "") for record in checked)


def headline(arguments):
    settings = f"`--device {arguments.device} --threads {arguments.threads} --seconds {arguments.seconds:g} --max-gib {arguments.max_gib:g}`"
    return f"{date.today()}, {processor()}, D = {arguments.d}, {CLASS_SIZE} rows a class, {settings}."


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    return f"{model}, {os.cpu_count()} threads"


# ------------------------------------------------------------------------------------------------------------ main


def build_ours():
    """Builds the program of this library and returns where it is; a path without a file where that fails."""
    build = [*CARGO.split(), "--message-format=json-render-diagnostics", "--bin", "wgpu-metric-learning"]
    try:
        output = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    except FileNotFoundError:
        output = ""
    programs = [json.loads(line).get("executable") for line in output.splitlines()]
    return Path(next(filter(None, programs), "wgpu-metric-learning"))


def names_of(choices):
    def parse(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(choices)}")
        return chosen

    return parse


def sizes(text):
    values = [int(part) for part in text.split(",")]
    if min(values) < 2:
        raise argparse.ArgumentTypeError("a size is at least 2")
    return sorted(values)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=sizes, default=[256, 512, 1024, 2048], help="rows, with commas between the sizes")
    parser.add_argument("--d", type=int, default=128, help="dimensions")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cpu: this library and Burn run on llvmpipe")
    parser.add_argument("--impl", type=names_of(table.TITLES), default=list(table.TITLES), help="with commas between them")
    parser.add_argument("--loss", type=names_of(LOSSES), default=list(LOSSES), help="with commas between them")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a point is timed")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of PyTorch and of this library's CPU engine")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a point is given up, its start included")
    parser.add_argument("--max-gib", type=float, default=8.0, help="memory that PyTorch may take at a point")
    parser.add_argument("--adapter", help="part of the name of the adapter that this library takes")
    parser.add_argument("--ours", type=Path, help="the program of this library; it is built where this is left out")
    parser.add_argument("--burn", type=Path, default=HERE / "burn/target/release/burn-peer", help="the program of burn/")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.ours is None:
        arguments.ours = build_ours()
    known = implementations(arguments)
    chosen = {name: known[name] for name in arguments.impl}
    missing = {name: peer.how_to_get for name, peer in chosen.items() if not peer.is_there}
    for name, how in missing.items():
        print(f"{table.TITLES[name]} is not there: {how}", flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    present = {name: peer for name, peer in chosen.items() if peer.is_there}
    head, records, agree = headline(arguments), [], True
    with open(arguments.out / "peers.jsonl", "w") as lines:
        for n in arguments.n:
            inputs = arguments.out / "inputs" / f"n{n}-d{arguments.d}"
            make_inputs(inputs, n, arguments.d)
            for loss in arguments.loss:
                point = Point(loss, n, inputs.resolve())
                having = {name: peer for name, peer in present.items() if name not in LACKING.get(loss, ())}
                for name, peer in having.items():
                    result = measure(peer.command(point), peer.environment, arguments.limit)
                    records.append(record_of(name, point, arguments.d, result))
                    print(json.dumps(records[-1]), file=lines, flush=True)
                    print(json.dumps(records[-1]), flush=True)
                    agree = write_report(arguments.out, head, records, missing)
    if not agree:
        sys.exit("Values differ: see peers.md.")


if __name__ == "__main__":
    main()
