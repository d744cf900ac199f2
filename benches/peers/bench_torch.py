"""Times one loss, forward and backward to the gradient of the embeddings, in PyTorch; prints one JSON object.

    python bench_torch.py --impl dense --loss contrastive --inputs FOLDER --device cpu

--impl pml      pytorch-metric-learning as published (multi_margin, which it lacks: torch's own multi_margin_loss on its
                distance matrix)
--impl dense    dense_torch.py and dense_torch_2.py of this folder
--impl compile  torch.compile of the same functions (fullgraph, static shapes)

FOLDER holds embeddings.npy, labels.npy and prototypes, as run.py writes them. Rows have norm 1, so nothing is
normalised again. An error goes to the standard error.
"""

import argparse
import ctypes
import gc
import inspect
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # compilers in this process, where the limits hold

import numpy as np
import torch

import dense_torch
import dense_torch_2

GIB = 2**30
MOST_RUNS = 1000


def read_inputs(folder, prototypes, device):
    embeddings, labels, prototypes = (np.load(folder / name) for name in ("embeddings.npy", "labels.npy", prototypes))
    x = torch.from_numpy(embeddings).to(device).requires_grad_()
    return x, torch.from_numpy(labels.astype(np.int64)).to(device), torch.from_numpy(prototypes).to(device)


def pml_loss(name, labels, prototypes):
    from pytorch_metric_learning import distances, losses, miners
    from torch.nn.functional import multi_margin_loss

    euclidean = distances.LpDistance(normalize_embeddings=False)
    if name == "triplet_hard":
        loss, miner = losses.TripletMarginLoss(margin=0.2, distance=euclidean), miners.BatchHardMiner(distance=euclidean)
        return lambda x: loss(x, labels, miner(x, labels))
    if name == "multi_margin":
        return lambda x: multi_margin_loss(-euclidean(x, prototypes), labels)
    loss = {
        "contrastive": lambda: losses.ContrastiveLoss(distance=euclidean),
        "triplet_all": lambda: losses.TripletMarginLoss(margin=0.2, distance=euclidean),
        "lifted": lambda: losses.LiftedStructureLoss(distance=euclidean),
        "margin": lambda: losses.MarginLoss(distance=euclidean),
        "ntxent": lambda: losses.NTXentLoss(temperature=0.1),
        "supcon": lambda: losses.SupConLoss(temperature=0.1),
    }[name]()
    return lambda x: loss(x, labels)


def dense_loss(name, labels, prototypes, compiled):
    loss = getattr(dense_torch, name, None) or getattr(dense_torch_2, name)
    if "prototypes" in inspect.signature(loss).parameters:
        return lambda x: loss(x, labels, prototypes)
    options = {}
    if name == "triplet_all" and compiled:
        # A compiled graph needs the number of positives beforehand, and fuses the whole cube of triplets by itself.
        options = {"max_positives": max(1, int(labels.bincount().max()) - 1), "chunk_elements": None}
    elif name == "triplet_all" and labels.is_cuda:
        options = {"chunk_elements": 2**27}
    return lambda x: loss(x, labels, **options)


def make_step(arguments, x, labels, prototypes):
    """A function that computes the loss and the gradient of the embeddings once and returns the loss."""
    if arguments.impl == "pml":
        loss = pml_loss(arguments.loss, labels, prototypes)
    else:
        loss = dense_loss(arguments.loss, labels, prototypes, arguments.impl == "compile")
    if arguments.impl == "compile":
        loss = torch.compile(loss, fullgraph=True, dynamic=False)

    def step():
        x.grad = None
        value = loss(x)
        value.backward()
        return value.detach()

    return step


class CpuMeter:
    def __init__(self, max_gib):
        import resource

        limit = self.memory("VmSize") + int(max_gib * GIB)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    @staticmethod
    def memory(field):
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith(field + ":"))
        return int(line.split()[1]) * 1024

    def milliseconds(self, step):
        start = time.perf_counter()
        step()
        return 1e3 * (time.perf_counter() - start)

    def peak_of(self, step):
        """By how many bytes the resident set grows during a step."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # hands freed memory back, else it hides inside the resident set
        with open("/proc/self/clear_refs", "w") as reset_peak:
            reset_peak.write("5")
        before = self.memory("VmRSS")
        step()
        return self.memory("VmHWM") - before


class CudaMeter:
    def __init__(self, max_gib):
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, max_gib * GIB / total))

    def milliseconds(self, step):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        step()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end)

    def peak_of(self, step):
        """By how many bytes the allocator's peak lies above what was allocated before a step."""
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before


def measure(arguments):
    torch.set_num_threads(arguments.threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    x, labels, prototypes = read_inputs(arguments.inputs, arguments.prototypes, arguments.device)
    (x @ x[:8].T).sum().item()  # starts thread pools or the CUDA context
    step = make_step(arguments, x, labels, prototypes)
    meter = {"cpu": CpuMeter, "cuda": CudaMeter}[arguments.device](arguments.max_gib)
    value = step().item()  # allocates and compiles what only the first evaluation does
    peak = meter.peak_of(step)
    times = []
    stop = time.perf_counter() + arguments.seconds
    while not times or (time.perf_counter() < stop and len(times) < MOST_RUNS):
        times.append(meter.milliseconds(step))
    if not torch.isfinite(x.grad).all():
        raise ArithmeticError("the gradient is not finite")
    return {
        "impl": arguments.impl,
        "on": description(arguments),
        "loss": arguments.loss,
        "n": x.shape[0],
        "d": x.shape[1],
        "ms_median": statistics.median(times),
        "ms_min": min(times),
        "runs": len(times),
        "memory_bytes": peak,
        "value": value,
    }


def description(arguments):
    """The device and the versions."""
    versions = f"torch {torch.__version__}"
    if arguments.impl == "pml":
        import pytorch_metric_learning

        versions = f"pytorch-metric-learning {pytorch_metric_learning.__version__}, {versions}"
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else f"CPU, {arguments.threads} threads"
    return f"{where}, {versions}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--impl", choices=("pml", "dense", "compile"), required=True)
    parser.add_argument("--loss", required=True)
    parser.add_argument("--inputs", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--prototypes", default="prototypes.npy", metavar="NAME", help="the file of them in FOLDER")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long it is timed, after two evaluations that are not")
    parser.add_argument("--max-gib", type=float, default=8.0, help="memory that it may take beyond torch itself")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
