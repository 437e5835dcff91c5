"""Runs the program as a user does: in a folder of its own, with what it prints and leaves behind.

Usage of every test script here: SCRIPT PROGRAM [unittest's arguments]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = ""

STUDY = """kind: study
schema_version: 1
name: small
seed: 3
networks:
  space: fashion-macro
  options: {positions: 4}
  table: {file: table.csv, genotype: genotype, accuracy: accuracy}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [4, 8]
      pe_columns: [4, 8]
    - template: eyeriss
      pe_rows: [4, 12]
      pe_columns: 8
objectives: [accuracy, latency, energy]
strategy: {name: exhaustive}
"""

TABLE = """genotype,accuracy
0000,60.5
0001,71
0012,75.25
0110,72
0222,80
1111,81.5
2222,83
"""

# 874,800 designs, a second or so of work: many batches, so that a stop has something to cut short. Many networks and few machines: each machine is read from its file, which takes long
# under the sanitizers.
LONG_STUDY = """kind: study
schema_version: 1
name: long
networks: {space: fashion-macro}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [2, 4, 6, 8, 10, 12, 14, 16, 20, 24]
      pe_columns: [2, 4, 6, 8, 10, 12, 14, 16, 20, 24]
      shared_buffer: [16KiB, 32KiB, 64KiB, 128KiB]
      noc_bandwidth: [8B/cycle, 16B/cycle, 32B/cycle]
objectives: [latency, energy]
strategy: {name: exhaustive}
"""


class CliTest(unittest.TestCase):
    """A folder that holds study.yaml and table.csv, and nothing else at first."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cosearch-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("study.yaml", STUDY)
        self.write("table.csv", TABLE)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def write_study(self, *changes):
        """The small study with every (old, new) of `changes` applied."""
        text = STUDY
        for old, new in changes:
            self.assertEqual(text.count(old), 1, f"{old!r} in the study")
            text = text.replace(old, new)
        self.write("study.yaml", text)

    def run_program(self, *arguments, expect=0):
        """The finished process; fails when its exit code is not `expect`."""
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, capture_output=True,
                              text=True, timeout=600)
        self.assertEqual(done.returncode, expect,
                         f"cosearch {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
        return done

    def run_json(self, *arguments, expect=0):
        return json.loads(self.run_program(*arguments, "--json", expect=expect).stdout)

    def refused(self, *arguments, expect, says):
        """Runs a command that must fail with one message, that says all of `says`, and nothing on
        standard output."""
        done = self.run_program(*arguments, expect=expect)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("internal error", done.stderr)
        for part in says:
            self.assertIn(part, done.stderr)
        return done.stderr

    def assert_files(self, *names):
        """The folder holds exactly these, hidden and temporary files included."""
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(names))

    def study_attributes(self, name):
        with h5py.File(self.folder / name) as store:
            return dict(store["study"].attrs)


def main():
    global PROGRAM
    PROGRAM = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(module="__main__")
