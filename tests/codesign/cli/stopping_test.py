"""A search that is cut short ends with exit code 5 and a store that opens and says so."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import time

import h5py

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

    def start(self, *arguments):
        """The long search, once it searches and its journal has points."""
        process = subprocess.Popen([cli_support.PROGRAM, "run", "study.yaml", "-o", "out.h5",
                                    *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        journal = self.folder / "out.h5.journal"
        while process.poll() is None and not (
                journal.exists() and journal.stat().st_size > 15_000_000
                and any(self.folder.glob(f"out.h5.partial-{process.pid}-*"))):
            time.sleep(0.005)
        return process

    def exported(self):
        """The bytes of the front, and all points."""
        self.run_program("pareto", "out.h5", "-o", "front.csv")
        with h5py.File(self.folder / "out.h5") as store:
            points = {name: column[:].tobytes() for name, column in store["points"].items()}
        return (self.folder / "front.csv").read_bytes(), points

    def test_resumed_as_if_nothing_had_happened(self):
        self.write("study.yaml", LONG_STUDY)
        self.run_program("run", "study.yaml", "-o", "out.h5")
        expected = self.exported()
        (self.folder / "out.h5").unlink()

        killed = self.start("--quiet")
        killed.kill()
        killed.communicate()
        self.refused("run", "study.yaml", "-o", "out.h5", expect=3,
                     says=["out.h5.journal", "cut off", "--resume"])
        stopped = self.start("--quiet", "--resume")
        for _ in range(3):  # the second and the third do no harm
            stopped.send_signal(signal.SIGINT)
        _, errors = stopped.communicate(timeout=120)
        self.assertEqual((stopped.returncode, errors), (STOPPED, b""))
        self.run_program("run", "study.yaml", "-o", "out.h5", "--resume", "--quiet")
        self.assertEqual(self.exported(), expected)
        self.assert_files(*INPUTS, "out.h5", "front.csv")

    def test_stops_within_a_second(self):
        self.write("study.yaml", LONG_STUDY)
        process = self.start("--quiet")
        begin = time.monotonic()
        process.terminate()
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, STOPPED)
        # Generous, for machines that are busy: it is a tenth of a second and the end of the file.
        self.assertLess(time.monotonic() - begin, 5)

    def test_a_second_writer_is_refused_by_the_name_of_the_first(self):
        self.write("study.yaml", LONG_STUDY)
        process = self.start("--quiet")
        process.send_signal(signal.SIGSTOP)
        self.refused("run", "study.yaml", "-o", "out.h5", "--resume", expect=3,
                     says=[f"process {process.pid} on ", "is writing this file"])
        process.kill()
        process.communicate()
        self.assertGreater(self.run_json("pareto", "out.h5")["points"], 0)
        self.assert_files(*INPUTS, "out.h5")

    def test_another_seed_is_refused(self):
        self.run_program("run", "study.yaml", "--max-evaluations", "3", expect=STOPPED)
        self.refused("run", "study.yaml", "--resume", "--seed", "9", expect=2,
                     says=["study.h5: cannot be resumed", "seed is 9, was 3"])

    def test_progress_is_plain_lines_where_there_is_no_terminal(self):
        self.write("study.yaml", LONG_STUDY)
        done = self.run_program("run", "study.yaml", "--max-evaluations", "70000", expect=STOPPED)
        self.assertNotIn("\r", done.stderr)

    def on_a_terminal(self, *arguments):
        """What a person sees who runs the search: the bytes that a terminal gets on stderr."""
        person, program = pty.openpty()
        process = subprocess.Popen([cli_support.PROGRAM, "run", "study.yaml", "-o", "out.h5",
                                    "--force", *arguments], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=program)
        os.close(program)
        seen = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while chunk := os.read(person, 4096):
                seen += chunk
        os.close(person)
        self.assertEqual(process.wait(timeout=120), 0)
        return seen.decode()

    def test_progress_on_a_terminal_says_how_far_how_fast_and_how_good(self):
        self.write("study.yaml", LONG_STUDY)
        seen = self.on_a_terminal()
        self.assertRegex(seen, r"\r\x1b\[K[\d,]+ of 777,600 evaluations, [\d,]+/s, [\d.]+ ?\w+ left, "
                               r"front \d+, hypervolume [01]\.\d{4}, best latency [\d.e+]+ cycles, "
                               r"best energy [\d.e+]+ pJ")
        self.assertTrue(seen.endswith("\r\x1b[K"), "the line is wiped at the end")
        self.assertEqual(self.on_a_terminal("--quiet"), "")


if __name__ == "__main__":
    main()
