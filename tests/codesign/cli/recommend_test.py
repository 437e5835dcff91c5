"""Recommendations from the command line: write, bench, train, ask."""

import json

from cli_support import CliTest, main

STUDY = """kind: study
schema_version: 1
name: chips
networks: {named: [resnet18]}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [4, 8, 16]
      pe_columns: [4, 8]
    - template: shidiannao
      pe_rows: [4, 8]
      pe_columns: [4, 8]
objectives: [latency]
constraints: {area: {at_most: 1.5mm2}}
"""


class Recommend(CliTest):
    def setUp(self):
        super().setUp()
        self.write("chips.yaml", STUDY)

    def data(self, name, *more):
        return self.run_json("recommend", "write", "chips.yaml", "-o", name, *more)

    def test_from_data_to_a_recommendation(self):
        written = self.data("gemms.h5", "--draw", "gemms", "--sample", "60")
        self.assertEqual((written["workloads"], written["accelerators"]), (60, 9))
        self.assertGreater(written["accelerators_best_for_some"], 1)
        self.run_program("recommend", "train", "gemms.h5", "-o", "tree.h5")
        rows = self.run_json("recommend", "ask", "tree.h5", "-n", "resnet18", "--top", "2")
        layers = {row["layer"] for row in rows}
        self.assertEqual(len(rows), 2 * len(layers))
        for row in rows:
            self.assertTrue(0 <= row["share"] <= 1)
            self.assertRegex(row["accelerator"], "^(nvdla|shidiannao)-")
        one = self.run_json("recommend", "ask", "tree.h5", "-n", "resnet18", "--layer",
                            rows[0]["layer"])
        self.assertEqual(one, rows[:1])

    def test_bench_is_the_same_for_any_number_of_jobs(self):
        self.data("gemms.h5", "--draw", "gemms", "--sample", "60")
        self.data("networks.h5")

        def bench(*more):
            report = self.run_json("recommend", "bench", "gemms.h5", "--models", "constant,tree",
                                   "--seeds", "2", *more)
            for row in report["results"]:
                del row["fit_seconds"]
            return json.dumps(report, sort_keys=True)

        for more in ((), ("--unseen", "networks.h5")):
            self.assertEqual(bench("--jobs", "1", *more), bench("--jobs", "3", *more))
        report = json.loads(bench())
        self.assertEqual([row["model"] for row in report["results"]],
                         ["random", "one for all", "constant", "tree"])

    def test_bad_input(self):
        self.refused("recommend", "train", "gone.h5", "--model", "constnt", "-o", "m.h5", expect=2,
                     says=["did you mean 'constant'?"])
        self.refused("recommend", "bench", "gone.h5", expect=3,
                     says=["gone.h5: there is no such recommendation data file"])
        self.refused("recommend", "write", "chips.yaml", "--objective", "accuracy", "-o", "d.h5",
                     expect=2, says=["expected latency, energy or edp"])
        self.refused("recommend", "write", "chips.yaml", "-o", "chips.yaml", expect=2,
                     says=["chips.yaml"])
        self.refused("recommend", "write", "chips.yaml", "--sample", "10", "-o", "d.h5", expect=2,
                     says=["--draw"])
        self.write("several.yaml", STUDY.replace("[latency]", "[latency, energy]"))
        self.refused("recommend", "write", "several.yaml", "-o", "d.h5", expect=2,
                     says=["several.yaml", "--objective"])
        self.data("gemms.h5", "--draw", "gemms", "--sample", "10")
        self.write("optimal.yaml", STUDY + "mapping: {mapper: optimal}\n")
        self.run_program("recommend", "write", "optimal.yaml", "-o", "optimal.h5", "--draw", "gemms",
                         "--sample", "2", "--seed", "5")
        self.refused("recommend", "bench", "gemms.h5", "--unseen", "optimal.h5", expect=2,
                     says=["another mapper", "one study"])
        self.refused("recommend", "bench", "gemms.h5", "--train", "10", expect=2,
                     says=["10 workloads to learn from, of 10: expected 1 to 9"])
        self.refused("recommend", "ask", "gemms.h5", "-n", "resnet18", expect=2,
                     says=["gemms.h5", "recommender"])


if __name__ == "__main__":
    main()
