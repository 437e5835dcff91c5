"""Working with stored results: fronts of several studies under filters, merged stores, the trace of a
search, one point in full, and files that go back in."""

import csv

import h5py

from cli_support import REPOSITORY, CliTest, main


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Results(CliTest):
    def setUp(self):
        super().setUp()
        self.run_program("run", "study.yaml", "-o", "a.h5")
        self.write_study(("name: small", "name: other"), ("template: nvdla", "template: nvdla\n"
                                                         "      pe_buffer: [256B, 1KiB]"))
        self.run_program("run", "study.yaml", "-o", "b.h5")

    def points(self, *stores):
        """(accuracy, latency, energy, template, network) of every point that runs."""
        found = set()
        for name in stores:
            with h5py.File(self.folder / name) as store:
                points = {key: column[:] for key, column in store["points"].items()}
                templates = store["accelerators/template"].asstr()[:]
                genotypes = store["networks/genotype"].asstr()[:]
            for i in range(len(points["id"])):
                if points["feasible"][i]:
                    found.add((points["accuracy"][i], points["latency"][i], points["energy"][i],
                               templates[points["accelerator"][i]],
                               genotypes[points["network"][i]]))
        return found

    def best_of(self, points):
        def beats(a, b):
            return a[0] >= b[0] and a[1] <= b[1] and a[2] <= b[2] and a[:3] != b[:3]
        return {p[:3] for p in points if not any(beats(other, p) for other in points)}

    def front(self, *arguments):
        self.run_program("pareto", *arguments, "-o", "front.csv")
        return {(float(row["accuracy[percent]"]), float(row["latency[cycles]"]),
                 float(row["energy[pJ]"])) for row in rows_of(self.folder / "front.csv")}

    def test_the_front_of_several_studies_is_that_of_their_points(self):
        self.assertEqual(self.front("a.h5", "b.h5"), self.best_of(self.points("a.h5", "b.h5")))
        self.assertLessEqual({row["study"] for row in rows_of(self.folder / "front.csv")},
                             {"a.h5", "b.h5"})

    def test_the_front_under_filters(self):
        points = self.points("a.h5")
        latencies = sorted(p[1] for p in points)
        bound = latencies[len(latencies) // 2]
        for conditions, passes in (
                ([f"latency<={int(bound)}cycles"], lambda p: p[1] <= bound),
                (["accuracy>=75%", "template=eyeriss"], lambda p: p[0] >= 75 and p[3] == "eyeriss"),
                (["network=0012"], lambda p: p[4] == "0012")):
            with self.subTest(conditions=conditions):
                arguments = [word for one in conditions for word in ("--where", one)]
                self.assertEqual(self.front("a.h5", *arguments),
                                 self.best_of({p for p in points if passes(p)}))

    def test_bad_filters_are_told(self):
        self.refused("pareto", "a.h5", "-w", "latenc<=3", expect=2, says=["latenc", "latency"])
        self.refused("pareto", "a.h5", "-w", "latency<3", expect=2, says=["latency<3", "<="])
        self.refused("pareto", "a.h5", "-w", "energy<=3cycles", expect=2, says=["cycles"])
        self.run_program("pareto", "a.h5", "-w", "latency<=1", expect=4)

    def test_merging_counts_equal_designs_once(self):
        self.run_program("merge", "a.h5", "b.h5", "a.h5", "-o", "m.h5")
        self.assertEqual(self.points("m.h5"), self.points("a.h5", "b.h5"))
        with h5py.File(self.folder / "m.h5") as merged:
            self.assertEqual(len(merged["points/id"]), len(self.points("a.h5", "b.h5")))
        self.assertEqual(self.front("m.h5"), self.front("a.h5", "b.h5"))
        self.refused("merge", "a.h5", "b.h5", "-o", "m.h5", expect=3, says=["exists already"])
        self.refused("merge", "a.h5", "b.h5", "-o", "a.h5", "-f", expect=2, says=["a.h5"])

    def test_fronts_of_different_objectives_are_not_merged(self):
        self.write_study(("[accuracy, latency, energy]", "[accuracy, latency]"))
        self.run_program("run", "study.yaml", "-o", "c.h5")
        self.refused("pareto", "a.h5", "c.h5", expect=2, says=["c.h5", "a.h5", "objectives"])

    def test_the_trace_ends_at_the_hypervolume_of_the_store(self):
        self.run_program("pareto", "a.h5", "-o", "front.csv", "--trace", "trace.csv")
        trace = rows_of(self.folder / "trace.csv")
        volumes = [float(row["hypervolume"]) for row in trace]
        self.assertEqual(volumes, sorted(volumes))
        with h5py.File(self.folder / "a.h5") as store:
            self.assertAlmostEqual(volumes[-1], store["front"].attrs["hypervolume"], places=12)
            self.assertEqual(int(trace[-1]["evaluations"]), len(store["points/id"]))
        self.assertEqual(int(trace[-1]["front"]), len(rows_of(self.folder / "front.csv")))

    def test_a_point_shown_can_be_costed_and_searched_again(self):
        self.run_program("pareto", "a.h5", "-o", "front.csv")
        row = rows_of(self.folder / "front.csv")[0]
        shown = self.run_json("show", "a.h5", row["id"], "-o", "point")
        self.assertEqual(shown["latency_cycles"], float(row["latency[cycles]"]))
        self.assertGreater(len(shown["layers"]), 1)
        costed = self.run_json("cost", "-n", "point/network.yaml", "-a", "point/accelerator.yaml",
                               "--per-layer")
        self.assertEqual(costed, shown)
        again = self.run_json("run", "point/study.yaml", "-o", "again.h5")
        self.assertEqual(len(again["front"]), 1)
        for metric in ("accuracy", "latency", "energy", "area"):
            unit = {"accuracy": "percent", "latency": "cycles", "energy": "pJ", "area": "mm2"}
            self.assertEqual(again["front"][0][metric], float(row[f"{metric}[{unit[metric]}]"]))
        self.assertIn("proposed by: exhaustive", self.run_program("show", "a.h5", row["id"]).stdout)
        self.refused("show", "a.h5", "999999", expect=2, says=["999999"])


class Technologies(CliTest):
    """A grid over technologies: text, which no column of numbers holds."""

    def test_each_design_is_shown_and_written_in_its_own(self):
        own = self.folder / "own.csv"
        own.write_text((REPOSITORY / "accel" / "data" / "technology_45nm.csv").read_text().replace(
            "mac_energy_8bit,", "mac_energy_8bit,1"))
        self.write_study(("    - template: nvdla\n",
                          "    - template: nvdla\n      technology: [45nm, 16nm, own.csv]\n"))
        self.run_program("run", "study.yaml", "-o", "a.h5", "--jobs", "1")
        own.unlink()
        with h5py.File(self.folder / "a.h5") as store:
            names = store["accelerators/name"].asstr()[:]
            ids, chips = store["points/id"][:], store["points/accelerator"][:]
            energies = store["points/energy"][:].ravel()
        seen = set()
        for technology in ("45nm", "16nm", "own.csv"):
            point = next(i for i, chip in enumerate(chips) if names[chip].startswith("nvdla")
                         and names[chip].endswith(technology))
            shown = self.run_json("show", "a.h5", str(ids[point]), "-o", technology)
            # Layer by layer here, shape by shape in a search: the sums may end in another digit.
            self.assertAlmostEqual(shown["energy"]["total_pj"] / energies[point], 1, delta=1e-12)
            self.assertIn(f"technology: {technology}",
                          self.run_program("show", "a.h5", str(ids[point])).stdout)
            again = self.run_json("run", f"{technology}/study.yaml", "-o", f"{technology}.h5")
            self.assertEqual(again["front"][0]["energy"], energies[point])
            if technology != "own.csv":
                costed = self.run_json("cost", "-n", f"{technology}/network.yaml", "-a",
                                       f"{technology}/accelerator.yaml", "--per-layer")
                self.assertEqual(costed, shown)
            seen.add(shown["energy"]["total_pj"])
        self.assertEqual(len(seen), 3)


class Machines(CliTest):
    """A study of machines of any levels, in files and shipped, under the optimal mapper."""
    CHANGES = (("  grids:\n", "  machines: [eyeriss-v1, 'mine.yaml:rows=8']\n  grids:\n"),
               ("    - template: eyeriss\n      pe_rows: [4, 12]\n      pe_columns: 8\n",
                "    - machine: mine.yaml\n      rows: [4, 16]\n"),
               ("[accuracy, latency, energy]", "[accuracy, time, energy]"),
               ("{name: exhaustive}", "{name: exhaustive}\nmapping: {objective: energy}"))

    def setUp(self):
        super().setUp()
        shipped = REPOSITORY / "accel" / "machines" / "gemmini.yaml"
        self.write("mine.yaml", shipped.read_text())
        self.write_study(*self.CHANGES)
        self.run_program("run", "study.yaml", "-o", "a.h5", "--jobs", "1")

    def front(self):
        self.run_program("pareto", "a.h5", "-o", "front.csv")
        return rows_of(self.folder / "front.csv")

    def test_templates_and_machines_are_candidates_with_their_parameters(self):
        with h5py.File(self.folder / "a.h5") as store:
            names = store["accelerators/name"].asstr()[:].tolist()
            self.assertEqual(names[:2], ["eyeriss-v1", "mine.yaml:rows=8"])
            self.assertEqual(names[-2:], ["mine.yaml:rows=4", "mine.yaml:rows=16"])
            self.assertEqual(store["accelerators/rows"][-1], 16)
            self.assertEqual(store["accelerators/template"].asstr()[-1], "mine.yaml")
            self.assertTrue(all(store["points/feasible"][:]))

    def test_jobs_and_an_interruption_change_nothing(self):
        front = self.front()
        self.run_program("run", "study.yaml", "-o", "a.h5", "--force", "--jobs", "3")
        self.assertEqual(self.front(), front)
        self.run_program("run", "study.yaml", "-o", "a.h5", "--force", "--max-evaluations", "9",
                         expect=5)
        self.run_program("run", "study.yaml", "-o", "a.h5", "--resume")
        self.assertEqual(self.front(), front)

    def test_what_changes_the_costs_is_refused_by_name(self):
        study = (self.folder / "study.yaml").read_text()
        for old, new, says in (
                ("objective: energy", "objective: edp", 'mapping.objective is "edp", was "energy"'),
                ("objective: energy", "mapper: optimal, objective: energy",
                 'mapping.mapper is "optimal"')):
            self.write("study.yaml", study.replace(old, new))
            self.refused("run", "study.yaml", "-o", "a.h5", "--resume", expect=2, says=[says])
        self.write("study.yaml", study)
        text = (self.folder / "mine.yaml").read_text()
        self.write("mine.yaml", text.replace("scratchpad: 256KiB", "scratchpad: 128KiB"))
        self.refused("run", "study.yaml", "-o", "a.h5", "--resume", expect=2,
                     says=["machine file mine.yaml is not the same"])

    def test_a_point_on_a_machine_is_shown_as_it_was(self):
        for row in {row["template"]: row for row in self.front()}.values():
            shown = self.run_json("show", "a.h5", row["id"], "-o", "point")
            self.assertEqual(shown["latency_cycles"], float(row["latency[cycles]"]))
            self.assertIn("certificate" if row["template"] != "nvdla" else "nest",
                          shown["layers"][0])
            again = self.run_json("run", "point/study.yaml", "-o", "again.h5", "--force")
            for metric in ("time", "energy", "area"):
                unit = {"time": "s", "energy": "pJ", "area": "mm2"}[metric]
                self.assertEqual(again["front"][0][metric], float(row[f"{metric}[{unit}]"]))
        row = next(row for row in self.front() if row["template"] == "mine.yaml")
        before = self.run_json("show", "a.h5", row["id"])
        (self.folder / "mine.yaml").unlink()
        self.assertEqual(self.run_json("show", "a.h5", row["id"]), before)

    def test_rank_and_gap_take_them(self):
        self.assertEqual(self.run_json("rank", "study.yaml"), self.run_json("rank", "a.h5"))
        self.write_study(*self.CHANGES[:3], ("{name: exhaustive}", "{name: exhaustive}\n"
                         "mapping: {objective: energy}\n"
                         "gap: {strategies: [{name: exhaustive}]}"),
                         ("    - template: nvdla\n", "    - template: nvdla\n      clock: 1GHz\n"),
                         ("[eyeriss-v1, ", "["))
        gap = self.run_json("gap", "study.yaml")
        self.assertEqual(gap["strategies"][0]["joint"]["worst"], 0)


if __name__ == "__main__":
    main()
