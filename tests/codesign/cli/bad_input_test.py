"""Bad input: one clear message, the right exit code, no partial output file, nothing lost."""

import resource
import shutil
import signal
import subprocess

import cli_support
from cli_support import CliTest, main

BAD, FILE, INFEASIBLE = 2, 3, 4
INPUTS = ("study.yaml", "table.csv")


class BadStudy(CliTest):
    def refused_study(self, *, expect=BAD, says):
        self.refused("run", "study.yaml", "-o", "out.h5", expect=expect, says=says)
        self.assert_files(*INPUTS)

    def test_a_missing_study(self):
        self.refused("run", "no-such.yaml", expect=FILE, says=["no-such.yaml: cannot open"])
        self.assert_files(*INPUTS)

    def test_a_folder_as_study(self):
        (self.folder / "folder").mkdir()
        self.refused("run", "folder", expect=FILE, says=["folder"])

    def test_malformed_yaml(self):
        self.write("study.yaml", "kind: study\n  bad: [\n")
        self.refused_study(says=["study.yaml:2:6: "])

    def test_an_empty_study(self):
        self.write("study.yaml", "")
        self.refused_study(says=["study.yaml"])

    def test_an_unknown_key(self):
        self.write_study(("seed: 3", "seeds: 3"))
        self.refused_study(says=["study.yaml:4:1: ", "'seeds'", "did you mean 'seed'?"])

    def test_a_repeated_key(self):
        self.write_study(("seed: 3", "seed: 3\nseed: 4"))
        self.refused_study(says=["study.yaml:5:1: ", "seed"])

    def test_an_impossible_range(self):
        self.write_study(("seed: 3", "seed: 3\nconstraints: {latency: {at_least: 9, at_most: 3}}"))
        self.refused_study(says=["study.yaml:5:24: ", "latency >= 9 cycles", "latency <= 3 cycles"])

    def test_grid_values_that_no_machine_may_have(self):
        self.write_study(("pe_rows: [4, 12]", "pe_rows: [4, 0]"))
        self.refused_study(says=["study.yaml:15:20: pe_rows = 0: eyeriss.yaml:",
                                 "fan-out along rows = 0"])

    def test_a_strategy_option_out_of_range(self):
        self.write_study(("{name: exhaustive}", "{name: semi-decoupled, layers: 0}"))
        self.refused_study(says=["study.yaml:18:42: ", "layers = 0"])

    def test_a_strategy_that_ranks_by_scores_the_study_lacks(self):
        self.write_study(("{name: exhaustive}", "{name: free-rea, scores: 'macs,naswot'}"))
        self.refused_study(says=["study.yaml:18:36: ", "scores = naswot", "parameters, macs, skip",
                                 "networks.scores"])

    def test_scores_without_a_space(self):
        self.write("study.yaml", "kind: study\nschema_version: 1\nname: n\nnetworks:\n"
                   "  named: [resnet18]\n  scores: {file: s.csv, network: id, columns: {zen: z}}\n")
        self.refused_study(says=["study.yaml:6:11: ", "'scores' needs a 'space'"])

    def test_an_undefined_name(self):
        self.write_study(("file: table.csv", "file: '${data}/table.csv'"))
        self.refused_study(says=["study.yaml:8:17: ", "--define data=VALUE"])


class BadGap(CliTest):
    def test_a_strategy_that_cannot_be_made(self):
        self.write_study(("{name: exhaustive}", "{name: exhaustive}\ngap: {strategies: "
                          "[{name: exhaustive}, {name: semi-decoupled, layers: 0}]}"))
        self.refused("gap", "study.yaml", expect=BAD, says=["study.yaml:19:71: ", "layers = 0"])


class BadTable(CliTest):
    def refused_table(self, rows, *, says):
        self.write("table.csv", rows)
        self.refused("run", "study.yaml", "-o", "out.h5", expect=BAD, says=says)
        self.assert_files(*INPUTS)

    def test_nan(self):
        self.refused_table("genotype,accuracy\n0000,60\n0001,nan\n",
                           says=["table.csv:3: ", "'nan'", "finite number"])

    def test_a_genotype_that_does_not_parse(self):
        self.refused_table("genotype,accuracy\n0000,60\n00x1,61\n",
                           says=["table.csv:3: ", "'00x1'", "character 3"])

    def test_a_row_that_is_too_short(self):
        self.refused_table("genotype,accuracy\n0000,60\n0001\n", says=["table.csv:3: "])

    def test_a_missing_column(self):
        self.refused_table("genotype,acuracy\n0000,60\n", says=["table.csv", "'acuracy'"])

    def test_no_rows(self):
        self.refused_table("genotype,accuracy\n", says=["table.csv"])

    def test_an_empty_space(self):
        self.write_study(("accuracy: accuracy}", "accuracy: accuracy, where: {genotype: none}}"))
        self.refused("run", "study.yaml", expect=BAD, says=["table.csv: no row is left"])
        self.assert_files(*INPUTS)

    def test_a_missing_table(self):
        self.write_study(("file: table.csv", "file: no-such.csv"))
        self.refused("run", "study.yaml", expect=FILE, says=["no-such.csv: cannot open"])
        self.assert_files(*INPUTS)


class BadOutput(CliTest):
    def test_a_missing_folder(self):
        self.refused("run", "study.yaml", "-o", "nowhere/out.h5", expect=FILE,
                     says=["nowhere/out.h5: cannot write"])
        self.assert_files(*INPUTS)

    def test_a_folder_that_is_a_file(self):
        self.refused("run", "study.yaml", "-o", "table.csv/out.h5", expect=FILE,
                     says=["table.csv/out.h5: cannot write"])
        self.assert_files(*INPUTS)

    def test_a_store_that_is_there_already(self):
        self.write("out.h5", "precious")
        self.refused("run", "study.yaml", "-o", "out.h5", expect=FILE,
                     says=["out.h5: exists already", "--force"])
        self.assertEqual((self.folder / "out.h5").read_text(), "precious")
        self.run_program("run", "study.yaml", "-o", "out.h5", "--force")
        self.assertEqual(self.study_attributes("out.h5")["complete"], 1)
        self.assert_files(*INPUTS, "out.h5")

    def test_a_study_is_not_replaced_by_its_own_store(self):
        before = (self.folder / "study.yaml").read_text()
        self.refused("run", "study.yaml", "-o", "./study.yaml", "--force", expect=BAD,
                     says=["study.yaml"])
        self.assertEqual((self.folder / "study.yaml").read_text(), before)

    def test_nothing_that_a_study_reads_is_replaced_by_its_store(self):
        for shipped, name in (("accel/machines/gemmini.yaml", "gemmini.yaml"),
                              ("examples/spaces/nas_bench_macro.yaml", "space.yaml"),
                              ("accel/data/technology_45nm.csv", "technology.csv")):
            shutil.copy(cli_support.REPOSITORY / shipped, self.folder / name)
        for name in ("scores.csv", "p.h5", "s", "costs.csv"):
            self.write(name, "not looked at")
        self.write("study.yaml", """kind: study
schema_version: 2
name: all
networks:
  space: space.yaml
  table: {file: table.csv, genotype: genotype}
  scores: {file: scores.csv, network: id, columns: {naswot: naswot}}
accuracy: {predictor: p.h5, then: {supernet: {file: s, images: images}}}
accelerators:
  technology: technology.csv
  machines: [gemmini.yaml]
  grids: [{machine: gemmini.yaml, rows: [8, 16]}]
costs: {file: costs.csv, network: a, accelerator: b, latency: c}
objectives: [accuracy, latency, energy]
strategy: {name: exhaustive}
""")
        for name in ("study.yaml", "space.yaml", "table.csv", "scores.csv", "p.h5", "s",
                     "technology.csv", "gemmini.yaml", "costs.csv"):
            with self.subTest(name):
                before = (self.folder / name).read_bytes()
                self.refused("run", "study.yaml", "-o", f"./{name}", "--force", expect=BAD,
                             says=[name, "is read by this command"])
                self.assertEqual((self.folder / name).read_bytes(), before)

    def test_a_store_is_not_replaced_by_its_own_front(self):
        self.run_program("run", "study.yaml", "-o", "out.h5")
        before = (self.folder / "out.h5").read_bytes()
        self.refused("pareto", "out.h5", "-o", "./out.h5", expect=BAD, says=["out.h5"])
        self.assertEqual((self.folder / "out.h5").read_bytes(), before)

    def test_an_export_that_cannot_be_written(self):
        self.run_program("run", "study.yaml", "-o", "out.h5")
        for name in ("front.csv", "front.json", "front.h5"):
            self.refused("pareto", "out.h5", "-o", f"nowhere/{name}", expect=FILE,
                         says=[f"nowhere/{name}"])
        self.refused("pareto", "out.h5", "-o", "front.txt", expect=BAD, says=["front.txt", ".csv"])
        self.assert_files(*INPUTS, "out.h5")


class FullDisk(CliTest):
    def test_a_store_for_which_there_is_no_room(self):
        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        done = subprocess.run([cli_support.PROGRAM, "run", "study.yaml", "-o", "out.h5"],
                              cwd=self.folder, capture_output=True, text=True, timeout=600,
                              preexec_fn=no_room)
        self.assertEqual(done.returncode, FILE, done.stderr)
        self.assertIn("out.h5: cannot write", done.stderr)
        self.assert_files(*INPUTS)

    def test_results_for_which_there_is_no_room(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([cli_support.PROGRAM, "list", "networks"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=600)
        self.assertEqual(done.returncode, FILE, done.stderr)


class BadStore(CliTest):
    def test_a_store_that_is_none(self):
        self.refused("pareto", "no-such.h5", expect=FILE, says=["no-such.h5: cannot open"])
        self.refused("pareto", "table.csv", expect=BAD, says=["table.csv", "not an HDF5 file"])
        self.refused("rank", "no-such.h5", expect=FILE, says=["no-such.h5"])

    def test_a_damaged_store(self):
        self.run_program("run", "study.yaml", "-o", "out.h5")
        whole = (self.folder / "out.h5").read_bytes()
        (self.folder / "out.h5").write_bytes(whole[: len(whole) // 2])
        self.refused("pareto", "out.h5", expect=FILE, says=["out.h5"])


class BadUsage(CliTest):
    def test_usage(self):
        for arguments in ([], ["frobnicate"], ["run"], ["run", "study.yaml", "--no-such-option"],
                          ["run", "study.yaml", "--jobs", "0"], ["list"],
                          ["run", "study.yaml", "--max-evaluations", "0"],
                          ["run", "study.yaml", "--define", "data"],
                          ["run", "study.yaml", "--seed", "minus-one"]):
            with self.subTest(arguments=arguments):
                self.refused(*arguments, expect=BAD, says=[])
                self.assert_files(*INPUTS)

    def test_a_time_that_is_none(self):
        self.refused("run", "study.yaml", "--time-limit", "5parsecs", expect=BAD,
                     says=["'5parsecs'", "min"])
        self.assert_files(*INPUTS)

    def test_names_that_do_not_exist(self):
        self.refused("cost", "-n", "resnet81", "-a", "nvdla-256", expect=BAD,
                     says=["did you mean 'resnet"])
        self.refused("cost", "-n", "resnet18", "-a", "nvdla-257", expect=BAD,
                     says=["did you mean 'nvdla-256'?"])
        self.refused("cost", "-n", "fashion-macro:00x200", "-a", "nvdla-256", expect=BAD,
                     says=["'00x200'", "character 3"])

    def test_files_of_networks_and_accelerators(self):
        self.refused("cost", "-n", "no-such.yaml", "-a", "nvdla-256", expect=FILE,
                     says=["no-such.yaml"])
        self.write("net.yaml", "kind: network\nschema_version: 1\nname: n\nlayers:\n"
                               "  - {type: softmax, rows: 3}\n")
        self.refused("cost", "-n", "net.yaml", "-a", "nvdla-256", expect=BAD,
                     says=["net.yaml:5:5: ", "lacks the key 'length'"])


class NothingFeasible(CliTest):
    def test_the_message_says_which_constraint_and_by_how_much(self):
        self.write_study(("seed: 3", "seed: 3\nconstraints: {accuracy: {at_least: 99.6%}, "
                                     "area: {at_most: 1cm2}}"))
        done = self.run_program("run", "study.yaml", "-o", "out.h5", expect=INFEASIBLE)
        # 83 is the best of the table: (99.6 - 83) / 99.6 = 16.7 %.
        self.assertIn("breaks accuracy >= 99.6 percent: it has 83, off by 16.7 %", done.stderr)
        self.assertIn("accuracy >= 99.6 percent is met by no design", done.stderr)
        self.assertNotIn("area", done.stderr)
        self.assertEqual(self.study_attributes("out.h5")["complete"], 1)
        self.refused_export()
        self.assert_files(*INPUTS, "out.h5")

    def refused_export(self):
        done = self.run_program("pareto", "out.h5", expect=INFEASIBLE)
        self.assertIn("no feasible design", done.stderr)

    def test_also_where_only_networks_were_asked_about(self):
        self.write_study(("seed: 3", "seed: 3\nconstraints: {macs: {at_most: 1}}"),
                         ("{name: exhaustive}", "{name: decoupled-network-first}"))
        done = self.run_program("run", "study.yaml", expect=INFEASIBLE)
        self.assertIn("macs <= 1 MACs", done.stderr)

    def test_constraints_that_only_exclude_each_other(self):
        self.write_study(("seed: 3", "seed: 3\nconstraints: {accuracy: {at_least: 80%}, "
                                     "latency: {at_most: 4000cycles}}"))
        done = self.run_program("run", "study.yaml", "-o", "out.h5", "--json", expect=INFEASIBLE)
        self.assertIn("nearest: ", done.stderr)


if __name__ == "__main__":
    main()
