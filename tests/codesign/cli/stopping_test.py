"""A search that is cut short ends with exit code 5 and a store that opens and says so."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import h5py

import cli_support
from cli_support import LONG_STUDY, CliTest, main

NOTHING_FEASIBLE, STOPPED = 4, 5
INPUTS = ("study.yaml", "table.csv")


class Stopping(CliTest):
    def assert_cut_short(self, name, most_evaluations=None):
        if not (self.folder / name).exists():
            # A slow machine's second was over before the store stood, or before the search began.
            self.run_program("run", "study.yaml", "-o", name, "--resume", "--max-evaluations", "1",
                             expect=STOPPED)
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
                _, errors = process.communicate(timeout=600)
                self.assertEqual(process.returncode, STOPPED, errors)
                self.assertEqual(errors, b"")
                self.assert_cut_short("out.h5")
                self.assertGreater(self.study_attributes("out.h5")["trials"], 0)
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
        _, errors = stopped.communicate(timeout=600)
        self.assertEqual((stopped.returncode, errors), (STOPPED, b""))
        self.run_program("run", "study.yaml", "-o", "out.h5", "--resume", "--quiet")
        self.assertEqual(self.exported(), expected)
        self.assert_files(*INPUTS, "out.h5", "front.csv")

    def processor_seconds(self, process):
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def assert_ends_within_a_second(self, process, *signals):
        """Of the process's own time: what a busy machine adds to it is nobody's fault."""
        used = self.processor_seconds(process)
        begin = time.monotonic()
        for number in signals:
            process.send_signal(number)
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, errors), (STOPPED, b""))
        self.assertLess(usage.ru_utime + usage.ru_stime - used, 1)
        self.assertLess(time.monotonic() - begin, 3)

    def test_stops_within_a_second(self):
        self.write("study.yaml", LONG_STUDY)
        self.assert_ends_within_a_second(self.start("--quiet"), signal.SIGTERM)
        self.assert_ends_within_a_second(self.start("--quiet", "--resume"), signal.SIGINT,
                                         signal.SIGINT)

    def test_stops_within_a_second_while_it_reads_its_study(self):
        # All of NAS-Bench-201: the longest that reading takes without a table.
        self.write("study.yaml", LONG_STUDY.replace("fashion-macro", "nas-bench-201"))
        # On one thread, so that its own time is no more than what passes.
        process = subprocess.Popen([cli_support.PROGRAM, "run", "study.yaml", "--quiet", "--jobs",
                                    "1"],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        caught = 0  # until there is a handler
        while process.poll() is None and not caught >> (signal.SIGINT - 1) & 1:
            status = Path(f"/proc/{process.pid}/status").read_text()
            caught = int(status.split("SigCgt:")[1].split()[0], 16)
        self.assert_ends_within_a_second(process, signal.SIGINT)
        self.run_program("run", "study.yaml", "--resume", "--max-evaluations", "10", expect=STOPPED)
        self.assertEqual(self.run_json("pareto", "study.h5")["points"], 10)

    def test_leaves_at_once_what_does_not_end_in_order(self):
        self.write("study.yaml", LONG_STUDY)
        process = self.start()
        process.terminate()
        while process.poll() is None:  # as on a machine, or a disk, that hardly gets on
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.001)
        out, errors = process.communicate(timeout=600)
        self.assertEqual((process.returncode, out), (STOPPED, b""))
        self.assertIn(b"longer than a second; --resume goes on", errors)
        self.assertTrue((self.folder / "out.h5.journal").exists())
        self.assertGreater(self.run_json("pareto", "out.h5")["points"], 100_000)
        self.assert_cut_short("out.h5")

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
        """What a person sees who runs the search for a while: the bytes a terminal gets on stderr."""
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
        self.assertEqual(process.wait(timeout=600), STOPPED)
        return seen.decode()

    def test_progress_on_a_terminal_says_how_far_how_fast_and_how_good(self):
        self.write("study.yaml", LONG_STUDY)
        seen = self.on_a_terminal("--max-evaluations", "300000")
        self.assertRegex(seen, r"\r\x1b\[K[\d,]+ of 300,000 evaluations, [\d,]+/s, [\d.]+ ?\w+ left, "
                               r"front \d+, hypervolume [01]\.\d{4}, best latency [\d.e+]+ cycles, "
                               r"best energy [\d.e+]+ pJ")
        self.assertRegex(seen, r"\r\x1b\[Kcosearch: stopped before the strategy had finished; --resume "
                               r"goes on\r\n$", "the line is wiped at the end")
        self.assertEqual(self.on_a_terminal("--quiet", "--max-evaluations", "300000"), "")


if __name__ == "__main__":
    main()
