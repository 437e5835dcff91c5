"""What the commands print and write, read back by programs that are not ours."""

import csv
import json
import math

import h5py

from cli_support import CliTest, main


def decoded(value):
    return value.decode() if isinstance(value, bytes) else value


class Streams(CliTest):
    def test_json_is_alone_on_standard_output(self):
        for arguments in (["run", "study.yaml"], ["rank", "study.yaml"], ["pareto", "study.h5"],
                          ["cost", "-n", "resnet18", "-a", "nvdla-256"], ["doctor"],
                          ["map", "-n", "resnet18", "-m", "nvdla-256"],
                          ["dataset", "show"], ["list", "networks"]):
            with self.subTest(arguments=arguments):
                json.loads(self.run_program(*arguments, "--json").stdout)

    def test_quiet_leaves_standard_error_empty(self):
        for arguments, code in ((["run", "study.yaml"], 0), (["rank", "study.yaml"], 0),
                                (["pareto", "study.h5", "-o", "front.csv"], 0),
                                (["run", "study.yaml", "-o", "cut.h5", "--max-evaluations", "3"],
                                 5)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_program(*arguments, "--quiet", expect=code).stderr, "")

    def test_the_store_is_named_after_the_study(self):
        self.run_program("run", "study.yaml")
        self.assert_files("study.yaml", "table.csv", "study.h5")


class Score(CliTest):
    """Without LibTorch: the scores that need no run of the network."""

    SCORE = ("score", "--space", "fashion-macro", "--option", "positions=4", "--table",
             "table.csv", "--scores", "parameters,macs,skip", "-o", "scores.csv")

    def test_writes_a_table_and_says_how_well_scores_rank(self):
        rows = self.run_json(*self.SCORE, "--accuracy", "accuracy")
        self.assertEqual([row["score"] for row in rows], ["parameters", "macs", "skip"])
        self.assertEqual([row["networks"] for row in rows], [7, 7, 0])
        self.assertGreater(rows[0]["spearman"], 0.5)
        self.assertIsNone(rows[2]["spearman"])
        with open(self.folder / "scores.csv", newline="") as file:
            table = list(csv.DictReader(file))
        self.assertEqual(table[0]["genotype"], "0000")
        self.assertEqual(float(table[0]["accuracy_percent"]), 60.5)
        self.assertGreater(float(table[0]["macs"]), 0)
        self.assertEqual(table[0]["skip"], "")
        self.assert_files("study.yaml", "table.csv", "scores.csv")

    def test_goes_on_where_it_was_stopped(self):
        self.run_program(*self.SCORE)
        whole = (self.folder / "scores.csv").read_bytes()
        (self.folder / "scores.csv").unlink()
        row = {"request": "fashion-macro positions=4 parameters,macs,skip 64 3  1",
               "genotype": "0012", "scores": [123, 456, None]}
        half = json.dumps(row) + "\n" + json.dumps(row)[:30]
        self.write("scores.csv.part", half)
        self.assertIn("6 networks to score, 1 done already", self.run_program(*self.SCORE).stderr)
        with open(self.folder / "scores.csv", newline="") as file:
            table = {row["genotype"]: row for row in csv.DictReader(file)}
        self.assertEqual(table["0012"]["macs"], "456", "taken from where it was stopped")
        self.assertIn(table["0222"]["macs"].encode(), whole)
        self.assert_files("study.yaml", "table.csv", "scores.csv")

    def test_the_number_of_jobs_changes_nothing(self):
        self.run_program(*self.SCORE, "-j", "1")
        one = (self.folder / "scores.csv").read_bytes()
        self.run_program(*self.SCORE, "-j", "3")
        self.assertEqual((self.folder / "scores.csv").read_bytes(), one)

    def test_bad_options_are_refused(self):
        for arguments, says in (
                (["--scores", "sinflow"], "did you mean 'synflow'?"),
                (["--option", "positions"], "expected NAME=WHOLE NUMBER"),
                (["--option", "positions=x"], "expected NAME=WHOLE NUMBER"),
                (["--option", "positions=9"], "must be from 4 to 6"),
                (["--batch", "1"], "batch = 1"),
                (["--accuracy", "acuracy"], "did you mean 'accuracy'?"),
                (["-o", "table.csv"], "write to another file")):
            with self.subTest(arguments=arguments):
                self.refused("score", "--space", "fashion-macro", "--table", "table.csv",
                             *(["-o", "scores.csv"] if "-o" not in arguments else []), *arguments,
                             expect=2, says=[says])
        self.refused(*self.SCORE[:-1], "no-such-folder/scores.csv", expect=3,
                     says=["no-such-folder"])

    def test_another_request_does_not_go_on_with_it(self):
        self.write("scores.csv.part", json.dumps({"request": "other", "genotype": "0012",
                                                  "scores": [1]}) + "\n")
        self.refused(*self.SCORE, expect=2, says=["scores.csv.part", "remove it to start anew"])


class Validate(CliTest):
    CASES = """kind: validation
schema_version: 1
name: mine
sources: {hand: {known: derived, text: by hand}}
cases:
  - name: array
    machine: gemmini
    values: [{quantity: peak, value: 0.5, source: hand}]
"""
    WIDE = """  - name: wide
    machine: eyeriss-v1
    layers: [{Q: 9, S: 300}]
    values: [{quantity: cycles, value: 1, source: hand}]
"""

    def test_an_error_is_a_result(self):
        suites = self.run_json("validate")["suites"]
        self.assertGreater(len(suites), 5)
        for suite in suites:
            self.assertEqual(suite["failures"], [])
            for row in suite["rows"]:
                error = 100 * (row["ours"] / row["reference"] - 1)
                self.assertAlmostEqual(row["error_percent"], error, delta=1e-6 * (1 + abs(error)))
                self.assertIn(row["known"], ("read", "transcribed", "recalled", "derived"))

    def test_files_of_cases_take_the_place_of_the_shipped_ones(self):
        self.write("mine.yaml", self.CASES)
        report = self.run_program("validate", "--cases", "mine.yaml").stdout
        self.assertIn("derived: by hand", report)
        row, = self.run_json("validate", "--cases", "mine.yaml")["suites"][0]["rows"]
        self.assertAlmostEqual(row["ours"], 0.512)
        self.assertAlmostEqual(row["error_percent"], 2.4)

    def test_a_case_that_cannot_run_is_told_of_and_the_others_run(self):
        self.write("mine.yaml", self.CASES + self.WIDE)
        done = self.run_program("validate", "--cases", "mine.yaml", "--json", expect=4)
        self.assertIn("mine: wide: ", done.stderr)
        self.assertEqual(len(json.loads(done.stdout)["suites"][0]["rows"]), 1)


class Pareto(CliTest):
    def stored_front(self):
        """The front as the store's tables have it, row by row, without the exported file."""
        with h5py.File(self.folder / "study.h5") as store:
            ids = list(store["points/id"])
            metrics = [decoded(name) for name in store["points"].attrs["metrics"]]
            genotypes = store["networks/genotype"].asstr()[:]
            names = store["accelerators/name"].asstr()[:]
            rows = []
            for point in store["front/id"]:
                at = ids.index(point)
                row = {name: float(store["points"][name][at]) for name in metrics}
                row["network"] = genotypes[store["points/network"][at]]
                chip = store["points/accelerator"][at]
                row["accelerator"] = names[chip]
                row["pe_rows"] = float(store["accelerators/pe_rows"][chip])
                rows.append(row)
            return rows

    def read_csv(self):
        with open(self.folder / "front.csv", newline="") as file:
            return [{name.split("[")[0]: cell for name, cell in row.items()}
                    for row in csv.DictReader(file)]

    def read_h5(self):
        with h5py.File(self.folder / "front.h5") as file:
            columns = {}
            for name, column in file.items():
                is_text = column.dtype.kind in "SO"
                columns[name] = column.asstr()[:] if is_text else column[:]
            return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def test_every_format_is_the_front_of_the_store(self):
        self.run_program("run", "study.yaml")
        for kind in ("csv", "json", "h5"):
            self.run_program("pareto", "study.h5", "-o", f"front.{kind}")
        expected = self.stored_front()
        self.assertGreater(len(expected), 2)
        from_json = json.loads((self.folder / "front.json").read_text())["rows"]
        printed = self.run_json("pareto", "study.h5")["front"]
        for rows in (self.read_csv(), from_json, self.read_h5(), printed):
            self.assertEqual(len(rows), len(expected))
            for row, stored in zip(rows, expected):
                for name, value in stored.items():
                    cell = decoded(row[name])
                    self.assertEqual(float(cell) if isinstance(value, float) else cell, value, name)

    def test_the_front_is_what_run_printed(self):
        front = self.run_json("run", "study.yaml")["front"]
        for row, stored in zip(front, self.stored_front()):
            self.assertEqual(row["network"], stored["network"])
            self.assertEqual(row["accelerator"], stored["accelerator"])
            self.assertEqual(row["energy"], stored["energy"])
        self.assertEqual(len(front), len(self.stored_front()))

    def test_nothing_in_the_store_dominates_the_front(self):
        self.run_program("run", "study.yaml")
        with h5py.File(self.folder / "study.h5") as store:
            points = list(zip(-store["points/accuracy"][:], store["points/latency"][:],
                              store["points/energy"][:]))
            self.assertTrue(all(store["points/feasible"][:]))
        front = {point for point in points
                 if not any(all(a <= b for a, b in zip(other, point)) and other != point
                            for other in points)}
        self.assertEqual({(-row["accuracy"], row["latency"], row["energy"])
                          for row in self.stored_front()}, front)

    def test_a_front_of_networks_alone(self):
        self.write_study(("[accuracy, latency, energy]", "[accuracy, macs]"),
                         ("{name: exhaustive}", "{name: decoupled-network-first}"))
        self.run_program("run", "study.yaml")
        for kind in ("csv", "json", "h5"):
            self.run_program("pareto", "study.h5", "-o", f"front.{kind}")
        self.run_program("pareto", "study.h5")
        self.assertIn("", [row["accelerator"] for row in self.read_csv()])


class Cost(CliTest):
    def assert_adds_up(self, cost):
        self.assertEqual(cost["latency_cycles"],
                         sum(l["multiplicity"] * l["latency_cycles"] for l in cost["layers"]))
        self.assertEqual(cost["macs"], sum(l["multiplicity"] * l["macs"] for l in cost["layers"]))

        def add(path_of):
            whole = path_of(cost["energy"])
            parts = sum(l["multiplicity"] * path_of(l["energy"]) for l in cost["layers"])
            self.assertTrue(math.isclose(whole, parts, rel_tol=1e-9, abs_tol=1e-6), (whole, parts))

        add(lambda energy: energy["total_pj"])
        add(lambda energy: energy["mac_pj"])
        add(lambda energy: energy["levels"]["DRAM"]["weights_pj"])
        energy = cost["energy"]
        parts = sum(sum(one.values()) for kind in ("levels", "network")
                    for one in energy[kind].values())
        rest = sum(energy[f"{part}_pj"] for part in ("mac", "vector", "additions", "leakage"))
        self.assertTrue(math.isclose(energy["total_pj"], parts + rest, rel_tol=1e-9))

    def test_totals_are_the_sum_of_the_layers(self):
        for network in ("resnet18", "fashion-macro:021200", "squeezenet"):
            for chip in ("nvdla-256", "eyeriss-168"):
                with self.subTest(network=network, accelerator=chip):
                    self.assert_adds_up(self.run_json("cost", "-n", network, "-a", chip,
                                                      "--per-layer"))

    def test_a_network_and_an_accelerator_in_files(self):
        self.write("net.yaml", "kind: network\nschema_version: 1\nname: two\nlayers:\n"
                   "  - {name: a, type: convolution, in_channels: 3, out_channels: 16, height: 32,"
                   " width: 32, kernel: 3, pad: 1, multiplicity: 2, inputs: []}\n"
                   "  - {name: pool, type: pooling, channels: 16, height: 32, width: 32,"
                   " kernel: 16, stride: 16}\n"
                   "  - {name: b, type: fully_connected, in_features: 64, out_features: 10}\n")
        self.write("chip.yaml", "kind: accelerator\nschema_version: 1\nname: mine\n"
                   "template: eyeriss\npe_rows: 12\npe_columns: 14\n")
        cost = self.run_json("cost", "-n", "net.yaml", "-a", "chip.yaml", "--per-layer")
        self.assertEqual(cost["machine"], "mine")
        self.assertEqual(cost["macs"], 2 * 3 * 16 * 32 * 32 * 9 + 640)
        self.assert_adds_up(cost)
        optimal = self.run_json("cost", "-n", "net.yaml", "-a", "chip.yaml", "--per-layer",
                                "--mapper", "optimal", "--objective", "energy")
        self.assertIn("certificate", optimal["layers"][0])
        self.assertNotIn("certificate", cost["layers"][0])
        self.refused("cost", "-n", "net.yaml", "-a", "chip.yaml", "--accounting", "timeloop", expect=2,
                     says=["--mapper optimal"])
        self.refused("cost", "-n", "net.yaml", "-m", "gemmini", "--mapper", "template", expect=2,
                     says=["'gemmini' is no template"])

    def test_an_option_that_nobody_would_heed_is_refused(self):
        says = ["only the optimal mapper has an objective"]
        cost = ("cost", "-n", "resnet18", "-l", "conv1")
        self.refused(*cost, "-a", "nvdla-256", "--objective", "latency", expect=2, says=says)
        self.refused(*cost, "-m", "nvdla", "--mapper", "template", "--objective", "latency",
                     expect=2, says=says)
        for option in (("--mapper", "optimal"), ("--objective", "energy")):
            self.refused("cost", "-n", "resnet18", "-m", "eyeriss-v1", "--mapping", "m.yaml",
                         *option, expect=2, says=["--mapping", option[0]])


class Rank(CliTest):
    def test_a_study_and_its_store_agree(self):
        self.run_program("run", "study.yaml")
        self.assertEqual(self.run_json("rank", "study.yaml"), self.run_json("rank", "study.h5"))

    def test_the_written_matrix_is_the_printed_one(self):
        printed = self.run_json("rank", "study.yaml", "-o", "rho.csv")
        self.assert_files("study.yaml", "table.csv", "rho_latency.csv", "rho_energy.csv")
        for metric in ("latency", "energy"):
            with open(self.folder / f"rho_{metric}.csv", newline="") as file:
                rows = list(csv.reader(file))
            self.assertEqual(rows[0][1:], printed[metric]["names"])
            self.assertEqual([[float(cell) for cell in row[1:]] for row in rows[1:-1]],
                             printed[metric]["spearman"])
            self.assertEqual([float(cell) for cell in rows[-1][1:]], printed[metric]["macs_only"])


class Gap(CliTest):
    def test_the_exhaustive_strategy_gives_nothing_away(self):
        self.write_study(("{name: exhaustive}", "{name: exhaustive}\ngap: {strategies: "
                          "[{name: exhaustive}, {name: decoupled-network-first}]}"))
        gap = self.run_json("gap", "study.yaml")
        self.assertEqual(gap["networks"], 7)
        self.assertEqual(gap["strategies"][0]["joint"]["worst"], 0)
        self.assertEqual(gap["strategies"][0]["hardware"], gap["exhaustive_hardware"])
        self.assertLess(gap["strategies"][1]["hardware"], gap["exhaustive_hardware"])
        self.run_program("gap", "study.yaml")


class PeerFiles(CliTest):
    MAPPING = """Network n {
      Layer a { Type: CONV Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }
        Dataflow { SpatialMap(1,1) K; TemporalMap(2,2) C; TemporalMap(Sz(R),1) Y; } }
    }
    """

    def setUp(self):
        super().setUp()
        self.write("mapping.m", self.MAPPING)
        self.write("hardware.m", "num_pes: 4\nl1_size_cstr: 64\nl2_size_cstr: 64\nnoc_bw_cstr: 8\n")

    def test_import_costs_and_export_keeps_the_cost(self):
        ours = self.run_json("import", "mapping.m", "hardware.m")["layers"][0]
        self.assertEqual(ours["macs"], 8 * 4 * 9 * 64)
        self.assertEqual([level["name"] for level in ours["levels"]], ["DRAM", "L2", "L1"])
        self.run_program("export", "mapping.m", "hardware.m", "--to", "timeloop")
        theirs = self.run_json("import", "a.yaml")["layers"][0]
        self.assertEqual(theirs["latency_cycles"], ours["latency_cycles"])
        (self.folder / "back").mkdir()
        self.run_program("export", "a.yaml", "--to", "maestro", "-o", "back")
        back = self.run_json("import", "back/mapping.m", "back/hardware.m")["layers"][0]
        self.assertEqual(back, ours)

    def test_our_own_mappings_are_exported(self):
        self.run_program("export", "-n", "resnet18", "-m", "gemmini", "--to", "timeloop", "--quiet")
        exported = sorted(self.folder.glob("*.yaml"))
        self.assertEqual(len(exported), 12 + 1)  # ResNet-18's distinct layers, and study.yaml
        for file in exported:
            if file.name != "study.yaml":
                self.run_program("import", file.name)
        self.run_program("map", "-n", "resnet18", "-m", "gemmini", "-l", "fc", "-o", "map.yaml")
        self.run_program("export", "-n", "resnet18", "-m", "gemmini", "--mapping", "map.yaml",
                         "--to", "timeloop", "-q")
        self.assertEqual(self.run_json("import", "fc.yaml")["layers"][0]["macs"], 512_000)

    def test_what_does_not_fit_or_is_not_understood_is_told(self):
        self.refused("import", "mapping.m", "hardware.m", "--capacities", expect=4,
                     says=["layer 'a'", "too small"])
        self.write("mapping.m", self.MAPPING.replace("TemporalMap(2,2) C", "TemporalMap(2,1) C"))
        self.refused("import", "mapping.m", "hardware.m", expect=2,
                     says=["mapping.m:3:39: TemporalMap(2,1) C", "overlap"])
        self.refused("export", "--to", "maestro", expect=2, says=["either FILEs or --network"])
        self.write("mapping.m", self.MAPPING)
        self.refused("export", "mapping.m", "hardware.m", "--to", "maestro", expect=2,
                     says=["mapping.m would be overwritten"])
        self.write("a.yaml", "problem:\n  shape: {{cnn}}\n")
        self.refused("import", "a.yaml", expect=2, says=["a.yaml:2:10", "Jinja2", "expand it first"])


class Overviews(CliTest):
    def test_lists(self):
        for what in ("networks", "spaces", "accelerators", "templates", "strategies"):
            with self.subTest(what=what):
                self.assertGreater(len(self.run_program("list", what).stdout.splitlines()), 3)
                self.assertTrue(self.run_json("list", what)[0]["name"])

    def test_doctor(self):
        self.run_program("doctor")
        self.assertIn("HDF5", [finding["what"] for finding in self.run_json("doctor")])

    def test_help_and_version(self):
        self.assertIn("quickstart", self.run_program("--help").stdout)
        self.assertIn("HDF5", self.run_program("--version").stdout)
        for command in ("run", "gap", "cost", "map", "rank", "pareto", "dataset", "list", "doctor"):
            self.run_program(command, "--help")

    def test_the_embedded_table(self):
        self.run_program("dataset", "list")
        self.assertIn("fashion-macro", self.run_program("dataset", "show").stdout)


if __name__ == "__main__":
    main()
