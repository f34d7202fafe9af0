"""Training samples: as recorded, from every layout, deterministic, resumable, shared out, noisy as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sequences

from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.mapper.sequence.profile import Template
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.training.datasets.assemble import HOP, Assembler, Take
from mapperatorinator.training.datasets.options import PUBLISHED
from mapperatorinator.training.datasets.song import Chart

CASES = sequences.part("tokens/training_index.json").get("cases", [])


@pytest.mark.compat
@pytest.mark.parametrize("case", CASES, ids=[case["file"].split("/")[-1] for case in CASES])
def test_samples_are_those_recorded(case: dict) -> None:
    want, facts = sequences.arrays(case["file"]), case["metadata"]
    vocabulary = Vocabulary(sequences.tokenizer(case["family"]))
    options = replace(
        PUBLISHED[case["family"]].plain(), tokens=case["tgt_seq_len"], lookback=case["lookback"],
        lookback_chance=float(case["lookback"] > 0),
    )  # fmt: skip
    chart = Chart(
        read_beatmap(sequences.map_path(case["map"])), facts["beatmap_id"], facts["creator_id"],
        facts["submit_year"], ((1.0, facts["difficulty"]),),
    )  # fmt: skip
    guest = replace(chart, beatmap=read_beatmap(sequences.map_path(facts["other_map"])), mapper=None)
    song = sequences.song()
    maker = Assembler(vocabulary, options, len(song) // HOP + 1, np.random.default_rng(0))
    takes = [Take.of(one, options.profile) for one in (chart, guest)]
    template = Template(tuple(case["template_in"]), tuple(case["template_out"]))
    pieces = list(maker.pieces(*takes, template))
    assert len(pieces) == case["samples"]
    for i, piece in enumerate(pieces):
        size = len(piece.tokens)
        assert piece.tokens.tolist() == want["decoder_input_ids"][i][:size].tolist()
        assert piece.labels.tolist() == want["labels"][i][:size].tolist()
        assert not want["decoder_input_ids"][i][size:].any()
        assert piece.position == pytest.approx(want["song_position"][i])
        assert (piece.mapper, piece.stars) == (want["mapper_idx"][i], pytest.approx(want["difficulty"][i]))
