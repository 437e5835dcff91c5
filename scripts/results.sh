#!/usr/bin/env bash
# Writes docs/results.md: what the program shows, each result beneath the command that made it.
#
#   scripts/results.sh [FOLDER]
#
# FOLDER holds the reference data (default: $COSEARCH_REFERENCE_DATA, else ../shared/data). The
# program is $COSEARCH, or the one that scripts/quickstart.sh built. Every number in the page comes
# out of a command run here; the prose around them is below.
#
# shellcheck disable=SC2016  # commands are shown and run as a reader types them
set -euo pipefail
data=${1:-${COSEARCH_REFERENCE_DATA:-}}
[[ -z $data ]] || data=$(realpath "$data")
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

program=${COSEARCH:-build/quickstart/codesign/cli/cosearch}
DATA=${data:-$(realpath ../shared/data)} # the commands below name it
page=docs/results.md
scratch=build/results # the commands below name it too

die() {
  echo "results: $*" >&2
  exit 3
}
[[ -x $program ]] || die "no program at $program (run scripts/quickstart.sh, or set COSEARCH)"
[[ -f $DATA/ren2022/nasbench301_archs.csv.gz ]] || die "no reference data at $DATA"
PATH=$(realpath "$(dirname "$program")"):$PATH

mkdir -p "$scratch"
draft=$(mktemp "$scratch/results.md.XXXXXX")
trap 'rm -f "$draft"' EXIT

# text <<'END': prose.
text() {
  cat
  echo
}

# fenced LANGUAGE: standard input as a block of code.
fenced() {
  printf '```%s\n' "$1"
  cat
  printf '```\n\n'
}

# show COMMAND: the command, and beneath it what it prints. Progress and errors stay on the terminal.
show() {
  step "${1%%$'\n'*}" >&2
  fenced sh <<<"$1"
  bash -euo pipefail -c "$1" | fenced text
}

# show_timed COMMAND: the same, and what bash's `time` says of it.
show_timed() {
  step "time $1" >&2
  fenced sh <<<"time $1"
  bash -euo pipefail -c "time $1" 2>&1 | fenced text
}

processor() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1; }

beginning() {
  text <<END
# Results

Written by \`scripts/results.sh\`: every block of output is what the command above it printed, and nothing else is
typed in. Made with $(cosearch --version | head -1) on $(nproc) cores ($(processor)), with a load average of
$(cut -d' ' -f1 /proc/loadavg) before it began: times measured on a busy machine are upper bounds.

\`DATA\` is an absolute path to the folder of reference data, \`cosearch\` the program:
END
  fenced sh <<'END'
DATA=/the/folder/with/the/reference/data
PATH=$PWD/build/quickstart/codesign/cli:$PATH
mkdir -p build/results
END
}

published_ranks() {
  text <<'END'
## 1. The published rank correlations, recomputed

Semi-decoupled co-design rests on accelerators ranking networks alike. From the table of its own authors (B. Lu et al.,
arXiv 2203.13921: 1,018 DARTS networks on seven machines, costed with MAESTRO), with a control that knows only each
network's multiply-accumulates:
END
  show 'cosearch rank examples/reference/ren2022.yaml --define data=$DATA -o build/results/ren2022.csv'
  text <<'END'
The same matrices, computed independently from the published arrays, come with the reference data. The largest
difference of any entry (those are printed to six decimals):
END
  for metric in latency energy; do
    show "awk -F, 'FNR == 1 { split(\$0, name); next }
  { for (i = 2; i <= NF; ++i) if (NR == FNR) want[\$1, name[i]] = \$i
      else if ((\$1, name[i]) in want) { d = \$i - want[\$1, name[i]]; if (d < 0) d = -d; if (d > most) most = d; ++n } }
  END { printf \"$metric: %d entries, largest difference %.1e\\n\", n, most }' \\
  \$DATA/ren2022/srcc_$metric.csv build/results/ren2022_$metric.csv"
  done
  text <<'END'
Read the last row of each matrix before believing too much: plain MACs, which know nothing of any machine, rank these
networks almost as well as one machine ranks them for another. DARTS networks of one depth and width differ in little
else, so high correlations here are weak evidence for the method. Section 3 is the harder test.
END
}

model_against_darts() {
  text <<'END'
## 2. Our cost model beside that table

Our templates on the same machines (columns named after their parameters) beside the published columns, one dataflow at
a time. The aim was 0.98 between each of ours and its counterpart, in latency and in energy; every such pair meets it.
END
  for dataflow in kcp_ws rs xp_ws; do
    show "cosearch rank examples/reference/model_vs_maestro_$dataflow.yaml --define data=\$DATA"
  done
  text <<'END'
Again the control is close, for `kcp_ws` energy even ahead of us: this shows that the model is consistent with MAESTRO's, not
that it tells apart what MACs cannot. Only `xp_ws` latency separates the two clearly. Known differences: we cost pooling and additions,
which the reference leaves out, our energy includes DRAM, which the reference's does not, and the published energies
carry a defect of that tool (access counts left over from the layer before). See [the cost model](cost-model.md).
END
}

model_against_alphanet() {
  text <<'END'
## 3. Our cost model beside MAESTRO on AlphaNet

These networks differ in resolution, depth, width and kernel, so MACs alone no longer settle the order. Energies here
are without the defect. `A1` has 256 PEs, `X1` 1,024 with 64 elements a cycle, `X3` 64 with 16.
END
  for dataflow in kcp_ws rs xp_ws; do
    show "cosearch rank examples/reference/alphanet_vs_maestro_$dataflow.yaml --define data=\$DATA"
  done
  text <<'END'
Where this falls short:

* `eyeriss` latency against `rs` is poor, and no better than MACs. MAESTRO's `rs` mapping spreads filter rows and output rows over the
  array and leaves every PE beyond them idle, so its latency grows with the resolution and not with its square. Our template
  spreads channels over those PEs, as the chip does. The two model different machines here; energy, which hardly depends on idle PEs, agrees.
* `nvdla` latency on `X1` agrees less than MACs do. With 1,024 PEs on 64 elements a cycle, bandwidth decides much of the order, and
  the two tools account for it differently. `xp_ws` latency on `X3`, the machine with the least bandwidth, is the worst of that dataflow,
  probably for the same reason.
END
}

gap_on_nas_bench_201() {
  text <<'END'
## 4. What shortcuts give away: NAS-Bench-201, exhaustively

All 15,625 cells with their measured CIFAR-10 accuracies on 216 accelerators of three templates. Every design is evaluated for the truth,
then every strategy starts anew; for each pair of a latency and an energy limit, the best accuracy a strategy found is held
against the best there is. `nothing %` is the share of limits under which a strategy found no design although there is one.
The aims: everything exhaustively in under 20 s on two cores (the time is that of the whole comparison, all strategies included), and semi-decoupled
search with five layers within 0.1 points on average at a twentieth of the evaluations or less, with random networks and decoupled search clearly worse.
END
  show_timed 'cosearch -q gap examples/nas_bench_201.yaml --define data=$DATA'
  text <<'END'
Both are met, but for `decoupled-hardware-first` in the first table, which is not clearly worse (see below). The gap of semi-decoupled search is
close to nothing, which calls for a reason. It is this: these machines rank
networks almost alike, energy even more so than latency, and better than MACs do.
END
  show 'cosearch rank examples/nas_bench_201.yaml --define data=$DATA'
  text <<'END'
So nearly every network that is best somewhere is near a good proxy's front, and a single layer of it suffices. What to keep in mind:

* All machines are costed by one analytical model. Their agreement is a property of that model too; real devices, each with a
  compiler of its own, agree less and need more layers.
* The rows with a named proxy show what the worst choice costs: of all machines this one ranks latencies least like the others. Retaining 20 layers
  instead of one hardly helps there. It takes little longer over a 3x3 convolution than over a 1x1, so networks of 1x1 convolutions, which are the
  best under tight limits elsewhere, lie deeper than that on it. Layers make up for a proxy that is somewhat off, not for a bad one; the automatic
  proxy, the machine that agrees best with all on a sample of networks, avoids it.
* That proxy is not free: 32 networks on all accelerators to choose it, every network once on it. Both are counted, and with `layers: 1` they
  are most of what is spent.
* When a design may sit on any accelerator (first table), `decoupled-hardware-first` loses little for few evaluations, and searching at random or by
  evolution does not lose much either: the fastest machines of the grid serve every limit. They fall behind where each accelerator has to be served by
  itself (second table), which is the question that semi-decoupled search answers.
* `decoupled-network-first` has one network only, the most accurate under its limit on MACs: where that fits, little or nothing is lost, and
  elsewhere it has nothing. Every mean is over the limits under which a strategy found something.
* `random-retained`, with as many networks as the row above it retained, is the control: it shares the sweep, not the choice.
END
  show_timed 'cosearch -q run examples/nas_bench_201.yaml --define data=$DATA -o build/results/nas_bench_201.h5 --force'
  show 'du --apparent-size --block-size=1M build/results/nas_bench_201.h5'
}

embedded_benchmark() {
  text <<'END'
## 5. The embedded benchmark: Fashion-MNIST networks that this project trained

What the embedded table is, and how much an accuracy in it moves when only the seed of its training changes:
END
  show 'cosearch dataset show'
  text <<'END'
Neighbours on a front that differ by less than this noise may well change places.

The quick start's question, semi-decoupled:
END
  show 'cosearch run examples/quickstart.yaml -o build/results/quickstart.h5 --force'
  text <<'END'
What each strategy gives away on that space:
END
  show 'cosearch -q gap examples/quickstart_gap.yaml'
  text <<'END'
Few networks of this space are worth retaining, so the saving is already large, and `decoupled-hardware-first` loses nothing in the first
question (section 4 says why). Two warnings:

* Most of these gaps are no larger than the noise between seeds stated above. The table says whether a strategy finds what the measured
  accuracies call best, not whether that network would be best again.
* Plain MACs rank latencies here about as well as another accelerator does (the last columns of "why this works"), so on this space a proxy
  accelerator adds something for energy only.
END
  text <<'END'
One seed, one answer: with one job, with two, and again. `cmp` is silent when two files are equal byte for byte.
END
  show 'for run in "a --jobs 1" "b --jobs 2" "c --jobs 2"; do
  set -- $run
  cosearch -q run examples/quickstart.yaml -o build/results/$1.h5 --force $2 $3 >/dev/null
  cosearch -q pareto build/results/$1.h5 -o build/results/$1.csv
done
cd build/results && cmp a.csv b.csv && cmp b.csv c.csv && sha256sum a.csv b.csv c.csv'
}

networks_for_real() {
  text <<'END'
## 6. Scores, supernets, predictors and recommendations

Short versions of what [scores.md](scores.md), [oneshot.md](oneshot.md), [predictors.md](predictors.md) and [recommend.md](recommend.md) show in full.
Training-free scores of 100 cells, beside their accuracies:
END
  show 'cosearch -q score --space nas-bench-201 --option prune=0 --table $DATA/nas/nb201_accuracy.csv.gz --genotype arch \
  --accuracy acc_cifar10 --sample 100 --scores synflow,logsynflow,naswot,parameters,macs --repeats 1 -o build/results/scores.csv'
  text <<'END'
FreeREA, which evolves cells by such scores and trains only what it ends with (the aims, 94.3 % and 73.4 %, are met):
END
  show 'scripts/freerea.py examples/reference/freerea_cifar10.yaml $DATA
scripts/freerea.py examples/reference/freerea_cifar100.yaml $DATA'
  text <<'END'
All networks of the embedded benchmark trained at once, as a supernet for the price of about five of them, and how well the accuracies they have with
the weights they share rank those of the networks trained alone; then a search by gradients in the weights and alternatives of one network:
END
  show 'rm -f build/results/supernet.pt* build/results/shared.csv build/results/search.csv*
cosearch -q supernet train --sampling sandwich --training-images 10000 --epochs 5 -o build/results/supernet.pt
cosearch -q supernet evaluate build/results/supernet.pt --table embedded --validation-images 2000 -o build/results/shared.csv'
  show 'cosearch -q supernet search --training-images 2000 --validation-images 2000 --epochs 2 \
  --architecture-learning-rate 0.01 --variant second-order -o build/results/search.csv'
  text <<'END'
Predictors of accuracy from 100 and from 400 trained networks (the aims, Kendall tau 0.70 and 0.80, are met), and latencies on a device of which
ten networks were measured, from what other devices say (the aim, Spearman 0.93, is met):
END
  show 'cosearch -q predictor bench $DATA/nas/nb201_accuracy.csv.gz --space nas-bench-201 --genotype arch \
  --target acc_cifar10 --models ridge,gaussian-process --train 100,400 --seeds 10'
  show 'cosearch -q predictor bench-transfer $DATA/nas/nb201_accuracy.csv.gz --with $DATA/nas/nb201_latency_ms.csv.gz \
  --space nas-bench-201 --genotype arch --devices eyeriss,fpga,raspi4,pixel3,titan_rtx_256 --measure 10 --seeds 20'
  text <<'END'
Energies, here those that MAESTRO finds for DARTS networks on a machine with its `rs` dataflow (section 2), from 50 and 200 of them:
END
  show 'awk -F, '\''NR == FNR { if ($2 == "A1" && $3 == "rs") energy[$1] = $6; next }
  FNR == 1 { print "normal,reduce,energy_nj" } $1 in energy { print $2 "," $3 "," energy[$1] }'\'' \
  <(zcat $DATA/maestro/net_nb301_16aux.csv.gz) <(zcat $DATA/ren2022/nasbench301_archs.csv.gz) > build/results/energy.csv
cosearch -q predictor bench build/results/energy.csv --space darts --genotype normal,reduce \
  --target energy_nj --kind energy --models ridge,gaussian-process --train 50,200 --seeds 10'
  text <<'END'
Predicting all networks and training those on the front, where a table of all accuracies stands in for training:
END
  show 'scripts/measured_front.py $DATA'
  text <<'END'
An accelerator for a layer in one step, learned from layers that were tried on all of a study's:
END
  show 'cosearch -q recommend write examples/recommend.yaml --draw convolutions --sample 1000 -o build/results/layers.h5
cosearch -q recommend bench build/results/layers.h5'
}

named_networks() {
  text <<'END'
## 7. Networks by name

Multiply-accumulates and parameters of the networks that go by a name, computed from their layers; the sources give the
published figures.
END
  show 'cosearch list networks'
}

export DATA PATH
{
  beginning
  published_ranks
  model_against_darts
  model_against_alphanet
  gap_on_nas_bench_201
  embedded_benchmark
  networks_for_real
  named_networks
} >"$draft"

# The page must not say where the data lie on this machine.
! grep --fixed-strings --line-number -e "$DATA" -e "$PWD" "$draft" || die "$draft names a local path"
chmod 644 "$draft"
mv "$draft" "$page"
step "$page"
