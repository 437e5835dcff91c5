"""The study on the embedded benchmark gives the same bytes for any number of jobs and every run."""

import re

import h5py

from cli_support import REPOSITORY, CliTest, main

# Small budgets: enough for every code path, and a fraction of a second each.
OPTIONS = {
    "exhaustive": "",
    "random": ", evaluations: 300",
    "regularised-evolution": ", population: 30, tournament: 5, evaluations: 300",
    "free-rea": ", scored: 20, population: 10, tournament: 3, retained: 3, scores: 'macs,parameters'",
    "decoupled-network-first": "",
    "decoupled-hardware-first": "",
    "semi-decoupled": ", layers: 2",
    "random-retained": ", retained: 10",
}
RANDOM = ("random", "regularised-evolution", "random-retained")


class Determinism(CliTest):
    def write_quickstart(self, strategy):
        text = (REPOSITORY / "examples" / "quickstart.yaml").read_text()
        text = re.sub(r"\nstrategy:.*?(?=\n\S|\Z)",
                      f"\nstrategy: {{name: {strategy}{OPTIONS[strategy]}}}\n", text, flags=re.S)
        self.write("study.yaml", text)

    def front(self, *arguments):
        """The bytes of front.csv, and all points."""
        self.run_program("run", "study.yaml", "-o", "out.h5", "--force", *arguments)
        self.run_program("pareto", "out.h5", "-o", "front.csv")
        with h5py.File(self.folder / "out.h5") as store:
            points = {name: column[:].tobytes() for name, column in store["points"].items()}
        return (self.folder / "front.csv").read_bytes(), points

    def test_every_strategy_is_here(self):
        named = [row["name"] for row in self.run_json("list", "strategies") if row["name"]]
        self.assertEqual(sorted(named), sorted(OPTIONS))

    def test_jobs_and_repetition_change_nothing(self):
        for strategy in OPTIONS:
            with self.subTest(strategy=strategy):
                self.write_quickstart(strategy)
                one = self.front("--jobs", "1")
                self.assertGreater(len(one[0].splitlines()), 1)
                self.assertEqual(self.front("--jobs", "2"), one)
                self.assertEqual(self.front("--jobs", "2"), one)

    def test_another_seed_changes_what_is_drawn(self):
        for strategy in RANDOM:
            with self.subTest(strategy=strategy):
                self.write_quickstart(strategy)
                self.assertNotEqual(self.front("--seed", "1")[0], self.front("--seed", "2")[0])

    def test_the_seed_of_the_study_is_that_of_the_command_line(self):
        self.write_quickstart("random")
        self.assertEqual(self.front(), self.front("--seed", "1"))


if __name__ == "__main__":
    main()
