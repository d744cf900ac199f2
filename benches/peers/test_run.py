"""Tests of the table, the pictures and the runs, with programs of their own in the place of the implementations.

    python3 -m unittest discover benches/peers
"""

import json
import math
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np

import picture
import run
import table

SVG = "{http://www.w3.org/2000/svg}"


def record(impl, loss="contrastive", n=256, **results):
    results = results or {"ms_median": 2.0, "ms_min": 1.0, "runs": 3, "memory_bytes": 3 * 2**20, "value": 0.5}
    return {"impl": impl, "loss": loss, "n": n, "d": 128, "on": f"place of {impl}"} | results


def line_of(text, start):
    return next(line for line in text.splitlines() if line.startswith(start))


class Values(unittest.TestCase):
    def errors(self, *records):
        return [record.get("error") for record in table.check_values(records)]

    def test_the_same_value_is_right(self):
        near = record("dense") | {"value": 0.50004}
        self.assertEqual(self.errors(record("ours"), near), [None, None])

    def test_another_value_is_an_error(self):
        far = record("dense") | {"value": 0.5001}
        expected = "wrong value: 0.5001, that of this library is 0.5"
        self.assertEqual(self.errors(record("ours"), far), [None, expected])

    def test_what_is_not_a_number_is_an_error(self):
        nan = record("ours") | {"value": math.nan}
        self.assertIn("wrong value", self.errors(nan)[0])

    def test_points_are_apart(self):
        others = record("dense", n=512) | {"value": 7.0}, record("dense", loss="margin") | {"value": 8.0}
        self.assertEqual(self.errors(record("ours"), *others), [None] * 3)

    def test_the_margin_of_pml_is_another(self):
        pml = record("pml", loss="margin") | {"value": 7.0}
        self.assertEqual(self.errors(record("ours", loss="margin"), pml), [None, None])

    def test_a_failed_implementation_is_no_reference(self):
        failed = record("ours", error="over 3 s")
        self.assertEqual(self.errors(failed, record("dense"), record("pml")), ["over 3 s", None, None])


class Table(unittest.TestCase):
    def test_a_row_has_times_ratios_and_memory(self):
        slow = record("dense") | {"ms_median": 2468.0, "memory_bytes": None}
        text = table.markdown("head", [record("ours"), slow], {})
        titles = "| loss | N | this library ms | MiB | dense PyTorch ms | ratio | MiB |"
        self.assertEqual(line_of(text, "| loss"), titles)
        self.assertEqual(line_of(text, "| contrastive"), "| contrastive | 256 | 2.00 | 3.00 | 2,468 | 1,234x |  |")
        self.assertIn("- dense PyTorch: place of dense", text)

    def test_rows_are_sorted_by_loss_and_size(self):
        points = [(loss, n) for n in (1024, 256) for loss in ("margin", "contrastive")]
        text = table.markdown("head", [record("ours", loss, n) for loss, n in points], {})
        rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith(("| margin", "| contrastive"))]
        expected = [["| margin", "256"], ["| margin", "1,024"], ["| contrastive", "256"], ["| contrastive", "1,024"]]
        self.assertEqual(rows, expected)

    def test_every_row_has_all_columns(self):
        records = [record("ours"), record("pml", error="?"), record("dense", n=512), record("ours", n=1024, error="?")]
        text = table.markdown("head", records, {})
        self.assertEqual({line.count("|") for line in text.splitlines() if line.startswith("|")}, {11})

    def test_errors_are_in_the_table_and_below_it(self):
        error = "out of memory: bad alloc"
        text = table.markdown("head", [record("ours"), *(record("pml", n=n, error=error) for n in (256, 512))], {})
        self.assertIn("| out of memory |  |  |", line_of(text, "| contrastive | 256"))
        self.assertIn("- pytorch-metric-learning, contrastive 256, contrastive 512: out of memory: bad alloc", text)
        wrong = table.check_values([record("ours"), record("pml") | {"value": 9.0}])
        self.assertIn("| wrong value |  |  |", line_of(table.markdown("head", wrong, {}), "| contrastive"))

    def test_what_is_not_there_is_said(self):
        text = table.markdown("head", [record("ours")], {"burn": "build it"})
        self.assertIn("- Burn, wgpu: not there; `build it`", text)

    def test_numbers_are_short(self):
        values = {0.0123: "0.012", 0.5: "0.500", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 12345.6: "12,346"}
        self.assertEqual([table.number(value) for value in values], list(values.values()))
        ratios = {0.051: "0.05x", 0.5: "0.50x", 1.24: "1.2x", 12.4: "12x", 1234.0: "1,234x"}
        self.assertEqual([table.times(ratio) for ratio in ratios], list(ratios.values()))


class Picture(unittest.TestCase):
    def test_every_point_has_its_place(self):
        points = [
            picture.Point(loss, impl, n, n * factor)
            for loss in ("contrastive", "a < b", "c", "d", "e")
            for impl, factor in (("ours", 0.01), ("pml", 1.0))
            for n in (256, 512, 1024)
        ]
        root = ElementTree.fromstring(picture.draw("Time", "ms", points))
        lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
        self.assertEqual([len(line) for line in lines], [3] * 10)
        places = [tuple(map(float, place.split(","))) for line in lines for place in line]
        self.assertTrue(all(0 <= x <= picture.WIDTH and 0 <= y <= picture.HEIGHT for x, y in places), places)
        # Doubled twice: equal steps on both axes, to the right and upwards.
        for (x0, y0), (x1, y1), (x2, y2) in zip(*[iter(places)] * 3):
            self.assertAlmostEqual(x2 - x1, x1 - x0, delta=0.2)
            self.assertAlmostEqual(y2 - y1, y1 - y0, delta=0.2)
            self.assertTrue(x1 > x0 and y1 < y0)
        texts = [text.text for text in root.iter(f"{SVG}text")]
        for expected in ("Time, ms", "a < b", "this library", "pytorch-metric-learning", "1,024", "ms", "N, rows of the batch"):
            self.assertIn(expected, texts)

    def test_one_point_or_none_is_drawn(self):
        for points in ([], [picture.Point("margin", "ours", 256, 1.0)]):
            root = ElementTree.fromstring(picture.draw("Time", "ms", points))
            self.assertEqual(len(list(root.iter(f"{SVG}circle"))), len(points))


class Runs(unittest.TestCase):
    def measure(self, script, limit=60.0, environment={}):
        return run.measure([sys.executable, "-c", script], environment, limit)

    def test_the_last_object_is_taken(self):
        self.assertEqual(self.measure("print('{\"limits\":1}\\n{\"n\":2}')"), {"n": 2})
        script = "import os; print('{\"x\":' + os.environ['X'] + '}')"
        self.assertEqual(self.measure(script, environment={"X": "5"}), {"x": 5})

    def test_errors_are_told(self):
        self.assertEqual(self.measure("import sys; sys.exit('no such thing\\nnote: a hint')"), {"error": "no such thing"})
        self.assertEqual(self.measure("raise SystemExit(3)"), {"error": "ended with 3"})
        memory = self.measure("raise MemoryError()")
        self.assertEqual(memory, {"error": "out of memory: MemoryError"})

    def test_no_program_runs_for_ever(self):
        self.assertEqual(self.measure("import time; time.sleep(60)", limit=0.5), {"error": "over 0.5 s"})

    def test_records_have_the_same_keys(self):
        point = run.Point("margin", 8, Path("inputs"))
        results = {"ms_median": 1.0, "ms_min": 1.0, "runs": 1, "memory_bytes": 4, "value": 2.0}
        ours = run.record_of("ours", point, 4, results | {"backend": "gpu", "adapter": "A", "api": "vulkan", "dispatches": 3})
        cpu = run.record_of("ours-cpu", point, 4, results | {"backend": "cpu", "adapter": None, "api": None})
        burn = run.record_of("burn", point, 4, results | {"impl": "burn-wgpu", "on": "B"})
        expected = {"loss": "margin", "n": 8, "d": 4} | results
        self.assertEqual(ours, expected | {"impl": "ours", "on": "A, vulkan"})
        self.assertEqual(cpu, expected | {"impl": "ours-cpu", "on": "cpu"})
        self.assertEqual(burn, expected | {"impl": "burn", "on": "B"})

    def test_inputs_are_unit_rows_with_eight_of_a_class(self):
        with tempfile.TemporaryDirectory() as folder:
            run.make_inputs(Path(folder), 24, 5)
            names = ("embeddings", "labels", "prototypes")
            embeddings, labels, prototypes = (np.load(Path(folder) / f"{name}.npy") for name in names)
        self.assertEqual([embeddings.shape, labels.shape, prototypes.shape], [(24, 5), (24,), (3, 5)])
        self.assertEqual([embeddings.dtype, labels.dtype, prototypes.dtype], [np.float32, np.uint32, np.float32])
        self.assertEqual(np.bincount(labels).tolist(), [8, 8, 8])
        for rows in (embeddings, prototypes):
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-6)

    def test_a_report_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            records = [record("ours"), record("dense")]
            self.assertTrue(run.write_report(Path(folder), "head", records, {}))
            names = sorted(path.name for path in Path(folder).iterdir())
            self.assertEqual(names, ["memory.svg", "peers.md", "time.svg"])
            self.assertFalse(run.write_report(Path(folder), "head", [*records, record("pml") | {"value": 3.0}], {}))


if __name__ == "__main__":
    unittest.main()
