#!/usr/bin/env bash
# The whole recipe, from nothing to a model that fills in the middle, and its scores:
#
#   bash training/run.sh [OUT]           as the adapter in the package was made
#   bash training/run.sh --smoke [OUT]   the same way with a handful of packages and two steps, in minutes
#
# What a step made is in OUT (out/training if none is named, and a folder that is deleted at the end for
# --smoke). A step whose result is there is skipped, and training goes on from its last checkpoint: a run that
# was killed is simply started again, and to do a step again one deletes its result.
set -euo pipefail

smoke=false
if [ "${1:-}" = --smoke ]; then
    smoke=true
    shift
fi
out=${1:-}
if [ -n "$out" ]; then
    mkdir -p "$out"
    out=$(cd "$out" && pwd)
fi
cd "$(dirname "$0")/.."
if [ -z "$out" ] && $smoke; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi
out=${out:-$PWD/out/training}

# TRAINING_PYTHON names another Python that has the extras dev and transformers.
if [ -z "${TRAINING_PYTHON:-}" ]; then
    make .venv/dev.stamp
fi
python=${TRAINING_PYTHON:-.venv/bin/python}
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error # the base is a file; no hub is asked

corpus=("$out/corpus") held_out=("$out/corpus" --held-out)
if $smoke; then
    corpus+=(--only attrs --only click --only h11)
    held_out+=(--only humanize --only schedule)
    lessons=200 validation=20
    first=1 length=(--steps 2)
    samples=(--samples 5)
else
    lessons=60000 validation=600
    first=325 length=(--tokens 4100000 --decay 2130000)
    samples=(--raw)
fi

# Runs a command unless the file that it makes is there.
once() {
    local result=$1
    shift
    if [ -e "$result" ]; then
        echo "== $result is there"
    else
        echo "== $*"
        "$@"
    fi
}

# A stage is trained with lessons of its own; the second goes on where the first one stopped.
train() {
    local stage=$1
    shift
    # One process for each core of a laptop's two; their threads would only wait for each other.
    OMP_NUM_THREADS=1 "$python" -m torch.distributed.run --standalone --nproc-per-node 2 \
        -m training.train "$out/lessons-$stage/lessons.safetensors" "$out/run" \
        --held-out "$out/validation/lessons.safetensors" "$@"
    touch "$out/run/stage-$stage.done"
}

evaluate() {
    local base
    base=$("$python" -c 'from training.base import base_weights; print(base_weights())')
    "$python" -m training.evaluate "$out/corpus/held_out/files.jsonl" "$out/evaluation" --resume "${samples[@]}" \
        --model "prefix only=$base:causal" \
        --model "untrained=$base:smollm2-spm" \
        --model "tuned=$out/fim.gguf:smollm2-spm"
    touch "$out/evaluation/done"
}

once "$out/corpus/files.jsonl" "$python" -m training.corpus "${corpus[@]}"
once "$out/corpus/held_out/files.jsonl" "$python" -m training.corpus "${held_out[@]}"
for stage in 1 2; do
    once "$out/lessons-$stage/lessons.safetensors" \
        "$python" -m training.prepare "$out/corpus" "$out/lessons-$stage" --lessons "$lessons" --seed 1 --stage $stage
done
once "$out/validation/lessons.safetensors" \
    "$python" -m training.prepare "$out/corpus/held_out" "$out/validation" --lessons "$validation" --seed 2
once "$out/run/stage-1.done" train 1 "${length[@]}" --steps $first
once "$out/run/stage-2.done" train 2 "${length[@]}"
once "$out/fim.gguf" "$python" -m training.export "$out/run" "$out/adapter" --gguf "$out/fim.gguf"
once "$out/evaluation/done" evaluate
if $smoke; then
    echo "== The parts fit together. Five places and two steps say nothing about how good a model is."
fi
