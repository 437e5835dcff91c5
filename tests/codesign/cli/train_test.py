"""dataset train: killed and stopped measurements go on, and end with the same table."""

import csv
import signal
import subprocess
import time

import bar_images
import cli_support
from bar_images import IMAGES, idx
from cli_support import CliTest, main

BAD_INPUT, FILE_TROUBLE, STOPPED = 2, 3, 5


class Train(CliTest):
    def setUp(self):
        super().setUp()
        bar_images.write(self.folder)
        bar_images.skip_without_training(self)

    def write_gzip(self, name, data):
        bar_images.write_gzip(self.folder / name, data)

    @staticmethod
    def command(output, *changes):
        """The program and its arguments; `changes` are options and their values in turn."""
        # Networks 0000 and 2222.
        options = {"--images": ".", "--option": "positions=4", "--every": "80", "--epochs": "2", "--batch": "20",
                   "--seeds": "1,2"}
        options.update(zip(changes[::2], changes[1::2]))
        return [cli_support.PROGRAM, "dataset", "train", "-o", output,
                *(word for option in options.items() for word in option)]

    def train(self, output, *arguments, expect=0):
        return self.run_program(*self.command(output, *arguments)[1:], expect=expect)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def interrupted(self, output, number):
        """Ends the process with `number` once the first network is on the disk."""
        log = self.folder / f"{output}.part"
        process = subprocess.Popen(self.command(output, "--jobs", "1"), cwd=self.folder,
                                   stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") > 1):
            time.sleep(0.005)
        process.send_signal(number)
        return process.wait(), process.communicate()[1]

    def test_a_killed_measurement_ends_with_the_same_bytes(self):
        self.train("whole.csv", "--jobs", "2")
        code, _ = self.interrupted("killed.csv", signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.assertFalse((self.folder / "killed.csv").exists())
        with open(self.folder / "killed.csv.part", "ab") as log:
            log.write(b'{"genotype": "cut sho')
        self.assertNotIn(" 0 done already", self.train("killed.csv").stderr)
        self.assertEqual(self.read("killed.csv"), self.read("whole.csv"))

        code, notes = self.interrupted("stopped.csv", signal.SIGINT)
        self.assertEqual(code, STOPPED, notes)
        self.assertIn("the same command goes on", notes)
        self.train("stopped.csv")
        self.assertEqual(self.read("stopped.csv"), self.read("whole.csv"))
        self.assert_files("study.yaml", "table.csv", *IMAGES, "killed.csv", "stopped.csv",
                          "whole.csv")

    def test_the_table_feeds_a_study(self):
        self.train("trained.csv")
        with open(self.folder / "trained.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["genotype"], row["seed"]) for row in rows],
                         [("0000", "1"), ("0000", "2"), ("2222", "1"), ("2222", "2")])
        for row in rows:
            self.assertEqual(row["accuracy_percent"], row["epoch2_percent"])
        self.assertIn("is there already", self.train("trained.csv", expect=BAD_INPUT).stderr)
        self.write_study(("table.csv, genotype: genotype, accuracy: accuracy}",
                          "trained.csv, genotype: genotype, accuracy: accuracy_percent, "
                          "require: [accuracy_percent], where: {seed: 1}}"))
        self.run_json("run", "study.yaml")

    def test_a_network_that_diverges_is_recorded_with_where(self):
        self.train("trained.csv", "--seeds", "1", "--learning-rate", "1e30")
        with open(self.folder / "trained.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.assertEqual(row["accuracy_percent"], "")
                self.assertRegex(row["failure"], r"the (loss|weights) .* in epoch \d")

    def test_a_refusal_leaves_nothing_behind(self):
        self.assertIn("reads tokens", self.run_program(
            "dataset", "train", "--space", "gpt", "--images", ".", "-o", "trained.csv",
            expect=BAD_INPUT).stderr)
        self.assertIn("--sample", self.run_program(
            "dataset", "train", "--space", "darts", "--images", ".", "-o", "trained.csv",
            expect=BAD_INPUT).stderr)
        self.assert_files("study.yaml", "table.csv", *IMAGES)

    def test_networks_are_drawn_and_batches_grow(self):
        self.run_program("dataset", "train", "-o", "trained.csv", "--images", ".", "--space",
                         "nas-bench-201", "--option", "channels=4", "--option", "cells=1",
                         "--sample", "3", "--epochs", "2", "--batch", "20,60")
        with open(self.folder / "trained.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len({row["genotype"] for row in rows}), 3)
        for row in rows:
            self.assertGreater(float(row["accuracy_percent"]), 0)

    def test_bad_input_is_named(self):
        for option, value, expected in (("--batch", "1", "must be at least 2"),
                                        ("--optimiser", "sdg", "expected one of: sgd"),
                                        ("--option", "positions", "NAME=WHOLE NUMBER"),
                                        ("--training-images", "241", "at most 240"),
                                        ("--device", "tpu", "cuda")):
            with self.subTest(option=option):
                self.assertIn(expected,
                              self.train("trained.csv", option, value, expect=BAD_INPUT).stderr)
        self.write_gzip("train-images-idx3-ubyte.gz", idx(0x802, [1, 2, 3], b"abcdef"))
        self.assertIn("magic number", self.train("trained.csv", expect=BAD_INPUT).stderr)
        self.write_gzip("train-images-idx3-ubyte.gz", idx(0x803, [1, 2, 3], b"abcde"))
        self.assertIn("truncated", self.train("trained.csv", expect=BAD_INPUT).stderr)
        (self.folder / "train-images-idx3-ubyte.gz").unlink()
        self.train("trained.csv", expect=FILE_TROUBLE)
        self.assertFalse((self.folder / "trained.csv.part").exists())


if __name__ == "__main__":
    main()
