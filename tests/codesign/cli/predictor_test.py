"""Predictors from the command line: bench, train, predict, transfer."""

import json

from cli_support import CliTest, main

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
WEIGHTS = {"none": 0, "skip_connect": 1, "nor_conv_1x1": 3, "nor_conv_3x3": 7, "avg_pool_3x3": 2}


def cell(number):
    """A cell of NAS-Bench-201, its operations, spread over the space."""
    number = number * 37 % 15625
    names = []
    for _ in range(6):
        number, operation = divmod(number, 5)
        names.append(OPERATIONS[operation])
    a, b, c, d, e, f = names
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|", names


class Predictors(CliTest):
    def setUp(self):
        super().setUp()
        lines = ["genotype,accuracy,one,two,new"]
        for i in range(120):
            genotype, names = cell(i)
            work = sum(WEIGHTS[name] for name in names)
            new = f"{5 + 2 * work}" if i % 10 == 0 else ""
            lines.append(f"{genotype},{50 + work},{1 + work},{3 + work + names.count('none')},{new}")
        self.write("table.csv", "\n".join(lines) + "\n")

    SPACE = ("--space", "nas-bench-201")

    def bench(self, *more):
        return self.run_json("predictor", "bench", "table.csv", *self.SPACE, "--target", "accuracy",
                             "--models", "ridge,xgboost:rank,gaussian-process", "--train", "30,60",
                             "--seeds", "3", *more)

    @staticmethod
    def without_times(report):
        for row in report["results"]:
            del row["time"]
        return json.dumps(report, sort_keys=True)

    def test_bench_is_the_same_for_any_number_of_jobs(self):
        one = self.bench("--jobs", "1")
        self.assertEqual(len(one["results"]), 6)
        for row in one["results"]:
            self.assertGreater(row["kendall_tau"]["mean"], 0.3)
        self.assertEqual(self.without_times(one), self.without_times(self.bench("--jobs", "3")))

    def test_another_seed_gives_other_splits(self):
        self.assertNotEqual(self.without_times(self.bench()),
                            self.without_times(self.bench("--seed", "100")))

    def test_train_then_predict(self):
        self.run_program("predictor", "train", "table.csv", *self.SPACE, "--target", "accuracy",
                         "-o", "p.h5")
        rows = self.run_json("predictor", "predict", "p.h5", "table.csv")
        self.assertEqual(len(rows), 120)
        for row in rows:
            self.assertLess(row["low"], row["accuracy"])
            self.assertLess(row["accuracy"], row["high"])
        self.run_program("predictor", "predict", "p.h5", "table.csv", "-o", "out.csv")
        self.assertEqual((self.folder / "out.csv").read_text().splitlines()[0],
                         "genotype,accuracy,accuracy_low,accuracy_high")

    def test_training_says_how_well_it_does_on_networks_left_out(self):
        report = self.run_json("predictor", "train", "table.csv", *self.SPACE, "--target",
                               "accuracy", "--validate", "-o", "p.h5")
        self.assertGreater(report["kendall_tau"], 0.5)
        self.assertTrue((self.folder / "p.h5").exists())

    def test_the_same_training_writes_the_same_bytes(self):
        files = []
        for name in ("a.h5", "b.h5"):
            self.run_program("predictor", "train", "table.csv", *self.SPACE, "--target", "accuracy",
                             "--model", "xgboost", "-o", name)
            files.append((self.folder / name).read_bytes())
        self.assertEqual(*files)

    def test_transfer_predicts_what_was_not_measured(self):
        rows = self.run_json("predictor", "transfer", "table.csv", *self.SPACE, "--devices",
                             "one,two", "--target", "new")
        for i, row in enumerate(rows):
            work = sum(WEIGHTS[name] for name in cell(i)[1])
            self.assertAlmostEqual(row["new"], 5 + 2 * work, delta=3)
            self.assertTrue(0 < row["low"] < row["new"] < row["high"])
        self.assertEqual(len(self.run_json("predictor", "transfer", "table.csv", *self.SPACE,
                                           "--devices", "one,two", "--suggest", "7")), 7)
        # The same from a file that has nothing but what was measured.
        lines = ["genotype,new"]
        for i in range(0, 120, 10):
            genotype, names = cell(i)
            lines.append(f"{genotype},{5 + 2 * sum(WEIGHTS[name] for name in names)}")
        self.write("mine.csv", "\n".join(lines) + "\n")
        apart = ("predictor", "transfer", "table.csv", *self.SPACE, "--devices", "one,two",
                 "--measured", "mine.csv")
        self.assertEqual(self.run_json(*apart, "--target", "new"), rows)
        self.refused(*apart, expect=2, says=["--measured needs --target"])
        self.write("mine.csv", "\n".join(lines[:3] + lines[2:3]) + "\n")
        self.refused(*apart, "--target", "new", expect=2, says=["mine.csv:4", "measured twice"])
        self.write("mine.csv", "\n".join(lines[:3] + ["|none~0|,3"]) + "\n")
        self.refused(*apart, "--target", "new", expect=2, says=["mine.csv:4", "not among those"])
        self.write("mine.csv", "\n".join(lines[:3] + [f"{cell(5)[0]},-1"]) + "\n")
        self.refused(*apart, "--target", "new", expect=2, says=["above zero"])

    def test_bench_transfer(self):
        report = self.run_json("predictor", "bench-transfer", "table.csv", *self.SPACE, "--devices",
                               "one,two", "--chips", "none", "--measure", "10", "--seeds", "2")
        for row in report["results"]:
            self.assertGreater(row["spearman"]["mean"], 0.8)

    def refused_training(self, *arguments, says, expect=2):
        self.write("p.h5", "kept")
        self.refused("predictor", "train", "table.csv", *arguments, "-o", "p.h5", expect=expect,
                     says=says)
        self.assertEqual((self.folder / "p.h5").read_text(), "kept")

    def test_bad_input_names_what_is_wrong_and_loses_nothing(self):
        accuracy = ("--target", "accuracy")
        self.refused_training(*self.SPACE, "--target", "acuracy",
                              says=["table.csv", "did you mean 'accuracy'?"])
        # Enough to train on, too few to leave a fifth out; a row that no scale of accuracies takes.
        lines = (self.folder / "table.csv").read_text().splitlines()
        self.write("table.csv", "\n".join(lines[:11]) + "\n")
        self.refused_training(*self.SPACE, *accuracy, "--model", "xgboost", "--validate",
                              says=["examples are too few"])
        self.write("table.csv", "\n".join(lines[:11] + [f"{cell(70)[0]},150,1,1,"]) + "\n")
        self.refused_training(*self.SPACE, *accuracy,
                              says=["table.csv:12", "accuracy = 150: scale 'error' takes"])
        self.write("table.csv", "\n".join(lines) + "\n")
        self.refused_training("--space", "nas-bench-301", *accuracy,
                              says=["did you mean 'nas-bench-201'?"])
        self.refused_training("--space", "nas-bench-201:prune", *accuracy,
                              says=["OPTION=WHOLE NUMBER"])
        self.refused_training(*self.SPACE, *accuracy, "--features", "paths",
                              says=["did you mean 'path'?"])
        self.refused_training(*self.SPACE, *accuracy, "--model", "rige",
                              says=["did you mean 'ridge'?"])
        self.refused_training(*self.SPACE, *accuracy, "--scale", "linar",
                              says=["did you mean 'linear'?"])
        self.write("table.csv", "genotype,accuracy\n" + cell(1)[0] + ",x\n")
        self.refused_training(*self.SPACE, *accuracy, says=["table.csv:2", "'x'"])
        self.write("table.csv", "genotype,accuracy\n" + cell(1)[0] + ",5\n")
        self.refused_training(*self.SPACE, *accuracy, says=["1 examples are too few"])

    def test_a_file_that_is_no_predictor(self):
        self.refused("predictor", "predict", "table.csv", "table.csv", expect=2,
                     says=["table.csv: is no predictor file"])
        self.refused("predictor", "predict", "missing.h5", "table.csv", expect=3,
                     says=["missing.h5"])


if __name__ == "__main__":
    main()
