"""Times the fitting of a projection head to the bundled digits: this library's `train` beside the same loop in PyTorch.

    cargo build --release
    python3 benches/peers/train.py

64-128-16 with max(0, x) between, outputs of norm 1, Adam with 0.002, batches of 8 rows of each of 10 classes, on the
processor alone. PyTorch runs the losses of dense_torch.py, plain and with the whole step in torch.compile. Each runs
--repeats times, one after the other in turn; the table has the least of each. Seconds of the steps alone: no compiler, no
reading of files. What it ends with is not compared: each draws other batches.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np
import torch

import dense_torch

ROOT = Path(__file__).resolve().parents[2]
CLASSES, ROWS_OF_CLASS, TRAINED = 10, 8, 1000


def digits():
    rows = np.load(ROOT / "cli/data/digits.npy")[:TRAINED].astype(np.float32)
    labels = np.load(ROOT / "cli/data/digits-labels.npy")[:TRAINED].astype(np.int64)
    return torch.from_numpy(rows), torch.from_numpy(labels)


def batches(labels, steps):
    """The indices of the rows of every batch."""
    generator = torch.Generator().manual_seed(0)
    rows = [torch.nonzero(labels == label).flatten() for label in range(CLASSES)]
    drawn = lambda of: of[torch.randperm(len(of), generator=generator)[:ROWS_OF_CLASS]]
    return [torch.cat([drawn(of) for of in rows]) for _ in range(steps)]


def in_torch(loss_name, steps, compiled):
    """Seconds that the steps take, drawing their rows among them."""
    torch.manual_seed(0)
    rows, labels = digits()
    layers = [torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 16)]
    head = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(head.parameters(), lr=2e-3)
    loss = getattr(dense_torch, loss_name)
    # Its static shapes need the number of positives beforehand.
    options = {"max_positives": ROWS_OF_CLASS - 1, "chunk_elements": None} if compiled and loss_name == "triplet_all" else {}

    def value_of(x, y):
        return loss(torch.nn.functional.normalize(head(x)), y, **options)

    value_of = torch.compile(value_of, fullgraph=True, dynamic=False) if compiled else value_of

    def step(batch):
        optimizer.zero_grad()
        value_of(rows[batch], labels[batch]).backward()
        optimizer.step()

    for batch in batches(labels, 5):
        step(batch)
    start = time.perf_counter()
    for batch in batches(labels, steps):
        step(batch)
    return time.perf_counter() - start


def ours(program, loss_name, steps):
    command = [program, "train", "--backend", "cpu", "--normalize", "--json", "--steps", str(steps)]
    command += ["--objective", f"bench:{loss_name}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in told][-2]["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/wgpu-metric-learning"), help="the built program")
    parser.add_argument("--loss", default="contrastive,triplet_all,lifted,ntxent", help="names of benchmarked losses")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    ways = {
        "ours-cpu": lambda loss: ours(arguments.program, loss, arguments.steps),
        "dense": lambda loss: in_torch(loss, arguments.steps, False),
        "compile": lambda loss: in_torch(loss, arguments.steps, True),
    }
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.steps} steps, seconds\n")
    print("| loss | " + " | ".join(ways) + " | the faster of PyTorch / ours |")
    print("|---" * (len(ways) + 2) + "|")
    for loss in arguments.loss.split(","):
        taken = {way: [] for way in ways}
        for _ in range(arguments.repeats):
            for way, run in ways.items():
                taken[way].append(run(loss))
        least = {way: min(times) for way, times in taken.items()}
        ratio = min(least["dense"], least["compile"]) / least["ours-cpu"]
        print(f"| {loss} | " + " | ".join(f"{least[way]:.2f}" for way in ways) + f" | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
