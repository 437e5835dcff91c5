"""The picture of a stored study: drawn, the same bytes twice, and bad input told."""

import subprocess
import sys

from cli_support import REPOSITORY, CliTest, main


class PlotTest(CliTest):
    def plot(self, *arguments):
        return subprocess.run([sys.executable, REPOSITORY / "scripts/plot_front.py", *arguments],
                              cwd=self.folder, capture_output=True, text=True)

    def test_the_same_study_gives_the_same_picture(self):
        self.run_program("run", "study.yaml", "-o", "study.h5")
        for name in ("first.svg", "second.svg"):
            result = self.plot("study.h5", "-o", name)
            self.assertEqual(result.returncode, 0, result.stderr)
        first = (self.folder / "first.svg").read_bytes()
        self.assertIn(b"latency", first)
        self.assertEqual(first, (self.folder / "second.svg").read_bytes())

    def test_a_file_that_is_no_study_is_told(self):
        (self.folder / "text.h5").write_text("not HDF5")
        result = self.plot("text.h5", "-o", "picture.svg")
        self.assertEqual(result.returncode, 2)
        self.assertIn("text.h5", result.stderr)
        self.assertFalse((self.folder / "picture.svg").exists())


class EveryPlot(CliTest):
    """scripts/plot.py draws what the commands write, the same bytes twice."""

    def plot(self, *arguments, expect=0):
        done = subprocess.run([sys.executable, "-B", REPOSITORY / "scripts/plot.py", *arguments],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr

    def assert_drawn(self, *arguments, shows):
        for name in ("first.svg", "second.svg"):
            self.plot(*arguments, "-o", name)
        first = (self.folder / "first.svg").read_bytes()
        self.assertIn(b"<svg", first)
        self.assertEqual(first, (self.folder / "second.svg").read_bytes())
        for text in shows:
            self.assertIn(text.encode(), first)

    def test_a_front(self):
        self.run_program("run", "study.yaml", "-o", "study.h5")
        self.assert_drawn("front", "study.h5", shows=["latency"])

    def test_hypervolume_with_a_band_of_seeds(self):
        self.write_study(("{name: exhaustive}", "{name: random}"))
        for seed in ("1", "2"):
            self.run_program("run", "study.yaml", "-o", f"{seed}.h5", "--seed", seed)
            self.run_program("pareto", f"{seed}.h5", "-o", "front.csv", "--trace", f"{seed}.csv")
        self.assert_drawn("hypervolume", "random=1.csv,2.csv", "one=1.csv",
                          shows=["random (2 seeds)", "one", "evaluations"])

    def test_ranks(self):
        self.run_program("rank", "study.yaml", "-o", "ranks.csv")
        self.assert_drawn("ranks", "ranks_latency.csv", shows=["rank correlation"])

    def test_energy(self):
        cost = self.run_program("cost", "-n", "resnet18", "-a", "nvdla-256", "--per-layer", "--json")
        self.write("cost.json", cost.stdout)
        self.assert_drawn("energy", "cost.json", shows=["DRAM", "resnet18 on nvdla-256"])

    def test_what_cannot_be_drawn_is_told(self):
        self.assertIn("table.csv", self.plot("hypervolume", "table.csv", "-o", "a.svg", expect=2))
        self.assertIn("table.csv", self.plot("energy", "table.csv", "-o", "a.svg", expect=2))
        self.assertIn("no.csv", self.plot("ranks", "no.csv", "-o", "a.svg", expect=2))
        self.assertFalse((self.folder / "a.svg").exists())


if __name__ == "__main__":
    main()
