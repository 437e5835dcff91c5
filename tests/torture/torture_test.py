"""Searches that are killed, have no room, may not write or are damaged lose no acknowledged point.

Usage: torture_test.py COSEARCH TORTURE_TOOL short|long [unittest's arguments]

The points that the search acknowledges are logged here, in a process of its own.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import h5py

COSEARCH = TOOL = None
IS_LONG = False
SEED = 20240229

STUDY = """kind: study
schema_version: 1
name: torture
networks: {{space: fashion-macro, options: {{positions: 4}}}}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [2, 4, 6, 8, 10, 12, 14, 16]
      pe_columns: [2, 4, 6, 8, 10, 12, 14, 16]
      pe_buffer: [8B, 64B, 256B]
      noc_bandwidth: [8B/cycle, 16B/cycle]
objectives: [latency, energy]
constraints: {{area: {{at_most: 4mm2}}}}
strategy: {strategy}
"""
STRATEGIES = ("{name: exhaustive}",
              "{name: regularised-evolution, population: 50, tournament: 5, evaluations: 1500}",
              "{name: semi-decoupled, proxy_sample: 20}")


def points_of(store):
    with h5py.File(store) as file:
        content = {name: column[:].tobytes() for name, column in file["points"].items()}
        content["front"] = file["front/id"][:].tobytes()
        content["reasons"] = file["reasons"][:].tobytes()
        content.update({name: int(file["study"].attrs[name]) for name in
                        ("trials", "network_evaluations", "hardware_evaluations",
                         "layer_evaluations", "complete")})
        return content


class TortureCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cosearch-torture-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.random = random.Random(SEED)

    def write_study(self, strategy, folder=None):
        study = (folder or self.folder) / "study.yaml"
        study.write_text(STUDY.format(strategy=strategy))
        return study

    def tool(self, *arguments, expect=0):
        done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def exported(self, store):
        """Everything a user can get out of a store, as bytes."""
        front = store.with_name("front.csv")
        done = subprocess.run([COSEARCH, "pareto", str(store), "-o", str(front)],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return front.read_bytes(), points_of(store)

    def reference(self, study):
        """What the undisturbed search exports, and how long it takes."""
        store = study.with_name("reference.h5")
        begin = time.monotonic()
        self.tool("run", study, store)
        duration = time.monotonic() - begin
        return self.exported(store), duration

    def acknowledged_until_killed(self, study, store, seconds):
        """Starts or resumes the search, kills it after so long, and returns the most points it had
        acknowledged."""
        process = subprocess.Popen([TOOL, "run", str(study), str(store)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        time.sleep(seconds)
        process.kill()
        log, errors = process.communicate()
        self.assertIn(process.returncode, (0, -signal.SIGKILL), errors)
        lines = log.decode().split("\n")[:-1]
        return int(lines[-1]) if lines else 0


class Torture(TortureCase):
    def test_killed_at_random_moments(self):
        kills = 200 if IS_LONG else 6
        studies = []
        for number, strategy in enumerate(STRATEGIES):
            folder = self.folder / str(number)
            folder.mkdir()
            study = self.write_study(strategy, folder)
            studies.append((study, *self.reference(study)))
        cut_short = 0
        for kill in range(kills):
            study, expected, duration = studies[kill % len(studies)]
            store = study.with_name("out.h5")
            acknowledged = self.acknowledged_until_killed(
                study, store, self.random.uniform(0, 1.2 * duration))
            recovered = int(self.tool("count", store).stdout) if any(
                path.name.startswith("out.h5") for path in study.parent.iterdir()) else 0
            self.assertGreaterEqual(recovered, acknowledged, f"kill {kill}: points are lost")
            cut_short += 0 < recovered < expected[1]["trials"]
            # Half of the time a reader folds what is there, half of the time the search is killed
            # again before a copy of it is brought to its end.
            with tempfile.TemporaryDirectory(dir=self.folder) as copy:
                for path in study.parent.iterdir():
                    shutil.copy(path, copy)
                copied = Path(copy) / "out.h5"
                if kill % 2 == 0 and recovered > 0:
                    subprocess.run([COSEARCH, "pareto", str(copied), "--json"], check=False,
                                   capture_output=True)
                    self.assertEqual(int(self.tool("count", copied).stdout), recovered)
                self.tool("run", study, copied)
                self.assertEqual(self.exported(copied), expected, f"kill {kill}")
            if self.random.random() < 0.4:
                for path in study.parent.glob("out.h5*"):
                    path.unlink()
        print(f"{kills} kills, {cut_short} of them with some but not all points: none lost",
              file=sys.stderr)

    def test_interrupted_system_calls(self):
        study = self.write_study(STRATEGIES[1])
        expected, _ = self.reference(study)
        store = self.folder / "out.h5"
        self.tool("run", study, store, "alarm")
        self.assertEqual(self.exported(store), expected)

    def test_damaged_files(self):
        study = self.write_study(STRATEGIES[1])
        (self.folder / "whole").mkdir()
        whole = self.folder / "whole" / "out.h5"
        self.tool("run", study, whole)
        flips = 1000 if IS_LONG else 60
        print(self.tool("damage", whole, SEED, flips).stdout, end="", file=sys.stderr)
        store = self.folder / "out.h5"
        while not (store.with_name("out.h5.journal").exists()
                   and int(self.tool("count", store).stdout) > 200):
            store.unlink(missing_ok=True)
            self.acknowledged_until_killed(study, store, self.random.uniform(0.05, 0.5))
        print(self.tool("damage", self.folder / "out.h5.journal", SEED, flips).stdout, end="",
              file=sys.stderr)

    def test_two_writers(self):
        study = self.write_study(STRATEGIES[0])
        expected, _ = self.reference(study)
        store = self.folder / "out.h5"
        process = subprocess.Popen([TOOL, "run", str(study), str(store)], stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        refused = self.tool("run", study, store, expect=3)
        self.assertIn(f"process {process.pid} on ", refused.stderr)
        process.send_signal(signal.SIGCONT)
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.exported(store), expected)


class SmallDisk(TortureCase):
    """A tmpfs of a few megabytes; skipped where none may be mounted."""

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        if os.geteuid() != 0 or not self.mount("-t", "tmpfs", "-o", "size=2M", "tmpfs"):
            self.skipTest("only root may mount a small disk")
        self.addCleanup(subprocess.run, ["umount", str(self.disk)], check=False)

    def mount(self, *arguments):
        with contextlib.suppress(OSError):
            return subprocess.run(["mount", *arguments, str(self.disk)], check=False,
                                  capture_output=True).returncode == 0
        return False

    def test_no_room(self):
        study = self.write_study(STRATEGIES[0])
        expected, _ = self.reference(study)
        store = self.disk / "out.h5"
        for size in ("2M", "3M", "4M"):  # full at other moments
            self.assertTrue(self.mount("-o", f"remount,size={size}"))
            done = self.tool("run", study, store, expect=3)
            self.assertIn("No space left", done.stderr)
            acknowledged = int(done.stdout.split()[-1]) if done.stdout else 0
            self.assertGreaterEqual(int(self.tool("count", store).stdout), acknowledged)
        self.assertTrue(self.mount("-o", "remount,size=100M"))
        self.tool("run", study, store)
        self.assertEqual(self.exported(store), expected)

    def test_a_folder_that_may_not_be_written(self):
        study = self.write_study(STRATEGIES[1])
        expected, duration = self.reference(study)
        store = self.disk / "out.h5"
        self.assertTrue(self.mount("-o", "remount,size=100M"))
        self.acknowledged_until_killed(study, store, duration / 2)
        before = {path.name: path.read_bytes() for path in self.disk.iterdir()}
        self.assertTrue(self.mount("-o", "remount,ro"))
        self.assertIn("Read-only file system", self.tool("run", study, store, expect=3).stderr)
        self.assertEqual({path.name: path.read_bytes() for path in self.disk.iterdir()}, before)
        self.assertTrue(self.mount("-o", "remount,rw"))
        self.tool("run", study, store)
        self.assertEqual(self.exported(store), expected)


if __name__ == "__main__":
    COSEARCH, TOOL = (str(Path(sys.argv.pop(1)).resolve()) for _ in range(2))
    IS_LONG = sys.argv.pop(1) == "long"
    unittest.main()
