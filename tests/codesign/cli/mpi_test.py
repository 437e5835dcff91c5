"""A search on several ranks gives the same bytes as one on none, and can be interrupted like it.

Usage: mpi_test.py COSEARCH FAILING_RANK [unittest's arguments]
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import h5py

import cli_support
from cli_support import LONG_STUDY, CliTest, main

STOPPED = 5
FAILING_RANK = ""
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_btl_base_warn_component_unused="0",
                   ASAN_OPTIONS="detect_leaks=0")
# Under the address sanitizer: Open MPI's plugins, which leak, are unloaded before leaks are named. So
# only their callers can be told, by whole stacks (the slow unwinder, hence where searches are short);
# and their thread-local storage crashes the search for leaks now and then.
LEAKS = Path(__file__).with_name("leaks_of_open_mpi.txt")
LOOKING_FOR_LEAKS = dict(
    ENVIRONMENT, ASAN_OPTIONS="fast_unwind_on_malloc=0",
    LSAN_OPTIONS=f"use_tls=0:print_suppressions=0:suppressions={LEAKS}")


@unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
class Ranks(CliTest):
    environment = ENVIRONMENT

    def start(self, ranks, *command):
        return subprocess.Popen(["mpirun", "--oversubscribe", "-n", str(ranks), *command],
                                cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def mpirun(self, ranks, *arguments):
        return self.start(ranks, cli_support.PROGRAM, "run", "study.yaml", "--mpi", "--jobs", "1",
                          "--quiet", *arguments)

    def wait_for_points(self, process, store, size):
        """Until the search has ended or its journal has so many bytes."""
        journal = self.folder / (store + ".journal")
        while process.poll() is None and not (journal.exists()
                                              and journal.stat().st_size > size):
            time.sleep(0.005)

    def end_of(self, process):
        """What it printed, once its ranks are gone: mpirun may end while one that it killed still waits
        for its disk, and holds its lock."""
        printed = process.communicate(timeout=600)

        def is_here(folder):
            try:
                return folder.resolve(strict=True) == self.folder.resolve()
            except OSError:  # ended
                return False

        until = time.monotonic() + 60
        while any(map(is_here, Path("/proc").glob("[0-9]*/cwd"))):
            self.assertLess(time.monotonic(), until, "a rank outlives mpirun")
            time.sleep(0.01)
        return printed

    def exported(self, store):
        self.run_program("pareto", store, "-o", "front.csv", "--trace", "trace.csv")
        with h5py.File(self.folder / store) as file:
            points = {name: column[:].tobytes() for name, column in file["points"].items()}
            counts = {name: int(file["study"].attrs[name]) for name in
                      ("trials", "hardware_evaluations", "layer_evaluations")}
            reasons = file["reasons"][:].tobytes()
        return ((self.folder / "front.csv").read_bytes(), (self.folder / "trace.csv").read_bytes(),
                points, counts, reasons)

    def test_ranks_and_jobs_change_nothing(self):
        self.environment = LOOKING_FOR_LEAKS
        # Costing layers on several ranks knows no strategies: all numbers with one of them.
        for strategy, all_jobs, all_ranks in (
                ("{name: exhaustive}", ("2", "3", "7"), (1, 2, 4)),
                ("{name: exhaustive}\nmapping: {mapper: optimal, objective: energy}", ("2",), (3,)),
                ("{name: semi-decoupled, proxy_sample: 3}", ("3",), (2,)),
                ("{name: regularised-evolution, population: 10, tournament: 3, evaluations: 40}",
                 ("2",), (3,))):
            with self.subTest(strategy=strategy):
                self.write_study(("{name: exhaustive}", strategy),
                                 ("pe_rows: [4, 12]", "pe_rows: [4, 12]\n      pe_buffer: [8B, 512B]"))
                self.run_program("run", "study.yaml", "-o", "one.h5", "--force", "--jobs", "1")
                expected = self.exported("one.h5")
                for jobs in all_jobs:
                    self.run_program("run", "study.yaml", "-o", "many.h5", "--force", "--jobs", jobs)
                    self.assertEqual(self.exported("many.h5"), expected)
                for ranks in all_ranks:
                    done = self.mpirun(ranks, "-o", "ranks.h5", "--force")
                    out, errors = done.communicate(timeout=600)
                    self.assertEqual((done.returncode, errors), (0, ""), out)
                    self.assertEqual(out.count("evaluated"), 1)
                    self.assertEqual(self.exported("ranks.h5"), expected)

    def test_bad_input_is_told_once(self):
        self.write("broken.yaml", (self.folder / "study.yaml").read_text().replace("nvdla", "nvdlo"))
        run = (cli_support.PROGRAM, "run", "--mpi", "--jobs", "1")
        for code, says, arguments in (
                (2, "nvdlo", ("broken.yaml",)),
                (2, "--resumee", ("study.yaml", "--resumee")),
                (2, "abc", ("study.yaml", "--time-limit", "abc")),
                (3, "none.yaml", ("none.yaml",)),
                (3, "cannot write", ("study.yaml", "-o", "none/out.h5"))):
            for ranks in (1, 3):
                with self.subTest(says=says, ranks=ranks):
                    done = self.start(ranks, *run, *arguments)
                    out, errors = done.communicate(timeout=600)
                    self.assertEqual(done.returncode, code, errors)
                    self.assertEqual(out, "")
                    ours = [line for line in errors.split("\n") if line.startswith("cosearch: ")]
                    self.assertEqual(len(ours), 1, errors)
                    self.assertIn(says, ours[0])

    def test_killed_and_resumed_on_another_number_of_ranks(self):
        self.write("study.yaml", LONG_STUDY)
        self.run_program("run", "study.yaml", "-o", "one.h5", "--max-evaluations", "100000",
                         expect=STOPPED)
        expected = self.exported("one.h5")
        # With the same limit: a signal that arrives late must find no more than the reference has.
        process = self.mpirun(2, "-o", "ranks.h5", "--max-evaluations", "100000")
        self.wait_for_points(process, "ranks.h5", 3_000_000)
        process.send_signal(signal.SIGTERM)
        self.end_of(process)
        done = self.mpirun(4, "-o", "ranks.h5", "--resume", "--max-evaluations", "100000")
        done.communicate(timeout=600)
        self.assertEqual(done.returncode, STOPPED)
        # Not assertEqual: it would spell out where hundreds of megabytes differ.
        self.assertTrue(self.exported("ranks.h5") == expected, "resumed points differ")

    def assert_resumes_to(self, expected, store):
        """The ended search has kept some points, and goes on as if it had never ended."""
        with self.subTest(store=store):
            self.assertTrue((self.folder / (store + ".journal")).exists())
            kept = self.run_json("pareto", store)["points"]
            self.assertGreater(kept, 0)
            self.run_program("run", "study.yaml", "-o", store, "--resume", "--quiet")
            self.assertEqual(self.exported(store), expected)

    def test_a_rank_that_fails_or_is_killed_ends_the_job_and_loses_nothing(self):
        self.write("study.yaml", LONG_STUDY.replace("fashion-macro",
                                                    "fashion-macro, options: {positions: 4}"))
        self.run_program("run", "study.yaml", "-o", "one.h5", "--quiet")
        expected = self.exported("one.h5")
        for rank in (0, 1):
            failed = self.start(2, FAILING_RANK, "study.yaml", f"failed{rank}.h5", str(rank))
            _, errors = self.end_of(failed)
            self.assertNotEqual(failed.returncode, 0)
            self.assertEqual(errors.count("the fourth batch fails here"), 1, errors)
            self.assertIn(f"rank {rank}", errors)
            self.assert_resumes_to(expected, f"failed{rank}.h5")
        for rank in (0, 1):
            process = self.mpirun(2, "-o", f"killed{rank}.h5")
            self.wait_for_points(process, f"killed{rank}.h5", 1_500_000)
            ranks = [int(pid) for path in Path(f"/proc/{process.pid}/task").glob("*/children")
                     for pid in path.read_text().split()]
            os.kill(sorted(ranks)[rank], signal.SIGKILL)
            _, errors = self.end_of(process)
            self.assertNotEqual(process.returncode, 0)
            self.assertIn("signal 9", errors)
            self.assert_resumes_to(expected, f"killed{rank}.h5")


if __name__ == "__main__":
    FAILING_RANK = str(Path(sys.argv.pop(2)).resolve())
    main()
