"""A search that is cut short ends with exit code 5 and a store that opens and says so."""

import json
import signal
import subprocess
import time

import cli_support
from cli_support import LONG_STUDY, CliTest, main

NOTHING_FEASIBLE, STOPPED = 4, 5
INPUTS = ("study.yaml", "table.csv")


class Stopping(CliTest):
    def assert_cut_short(self, name, most_evaluations=None):
        attributes = self.study_attributes(name)
        self.assertEqual(attributes["complete"], 0)
        if most_evaluations is not None:
            self.assertEqual(attributes["hardware_evaluations"], most_evaluations)
        is_empty = attributes["trials"] == 0
        front = self.run_json("pareto", name, expect=NOTHING_FEASIBLE if is_empty else 0)["front"]
        self.assertEqual(len(front) == 0, is_empty)
        self.assert_files(*INPUTS, name)

    def test_after_so_many_evaluations(self):
        done = self.run_program("run", "study.yaml", "-o", "out.h5", "--max-evaluations", "11",
                                "--json", expect=STOPPED)
        result = json.loads(done.stdout)
        self.assertFalse(result["complete"])
        self.assertEqual(result["evaluations"]["hardware"], 11)
        self.assert_cut_short("out.h5", most_evaluations=11)

    def test_not_when_the_limit_is_not_reached(self):
        result = self.run_json("run", "study.yaml", "--max-evaluations", "100000")
        self.assertTrue(result["complete"])

    def test_not_on_the_budget_of_the_study_itself(self):
        self.write_study(("seed: 3", "seed: 3\nbudget: {evaluations: 5}"))
        result = self.run_json("run", "study.yaml")
        self.assertTrue(result["complete"])
        self.assertEqual(result["evaluations"]["hardware"], 5)

    def test_after_so_long(self):
        self.write("study.yaml", LONG_STUDY)
        self.run_program("run", "study.yaml", "-o", "out.h5", "--time-limit", "1ms",
                         expect=STOPPED)
        self.assert_cut_short("out.h5")

    def test_on_a_signal(self):
        self.write("study.yaml", LONG_STUDY)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                process = subprocess.Popen([cli_support.PROGRAM, "run", "study.yaml", "-o",
                                            "out.h5", "--force", "--quiet", "--jobs", "1"],
                                           cwd=self.folder, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE)
                # The store is written beside its final name; a first batch makes it this large.
                while process.poll() is None and not any(
                        path.stat().st_size > 500_000 for path in self.folder.glob("out.h5.*")):
                    time.sleep(0.005)
                process.send_signal(number)
                _, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, STOPPED, errors)
                self.assertEqual(errors, b"")
                self.assertGreater(self.study_attributes("out.h5")["trials"], 0)
                self.assert_cut_short("out.h5")
                (self.folder / "out.h5").unlink()


if __name__ == "__main__":
    main()
