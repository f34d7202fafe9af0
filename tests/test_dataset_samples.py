"""Training samples: as recorded, from every layout, deterministic, resumable, shared out, noisy as asked."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sequences
from hypothesis import given
from hypothesis import strategies as st
from songs import click_track
from tiny_sets import tiny_map, tiny_set

from mapperatorinator.audio.published import load_published
from mapperatorinator.beatmap import Slider, read_beatmap, write_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.profile import PROFILES, Template
from mapperatorinator.mapper.sequence.vocabulary import Vocabulary
from mapperatorinator.training.datasets.assemble import HOP, Assembler, Take
from mapperatorinator.training.datasets.build import Order, build
from mapperatorinator.training.datasets.options import PUBLISHED, SampleOptions, Selection
from mapperatorinator.training.datasets.song import Chart, flipped

torch = pytest.importorskip("torch")
from mapperatorinator.training.datasets.batches import batches, deal  # noqa: E402
from mapperatorinator.training.datasets.samples import Samples  # noqa: E402

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
        sound = song[piece.start * HOP :][: (options.frames - 1) * HOP]
        assert np.abs(sound).sum(dtype=np.float64) == pytest.approx(want["frames_abs_sum"][i])
        assert (piece.mapper, piece.stars) == (want["mapper_idx"][i], pytest.approx(want["difficulty"][i]))
        assert want["frames_len"][i] == (options.frames - 1) * HOP
        heard = song[piece.start * HOP :][: want["frames_len"][i]]
        assert np.abs(heard).sum(dtype=np.float64) == pytest.approx(want["frames_abs_sum"][i])


def words() -> dict[str, Any]:
    """A small vocabulary in the published form, enough for every mode."""
    one = ("new_combo", "circle", "spinner", "spinner_end", "slider_head", "bezier_anchor", "perfect_anchor")
    two = ("catmull_anchor", "red_anchor", "last_anchor", "slider_end", "beat", "measure", "timing_point", "hold_note")
    three = ("hold_note_end", "scroll_speed_change", "drumroll", "drumroll_end", "denden", "denden_end")
    out = {
        "t": (0, 818), "snap": (0, 16), "dist": (0, 640), "pos": (0, 956), "column": (0, 17), "scroll_speed": (0, 1000),
        "hitsound": (0, 72), "volume": (0, 100), "kiai": (0, 1), **dict.fromkeys((*one, *two, *three), (0, 0)),
    }  # fmt: skip
    given = {
        "gamemode": (0, 3), "difficulty": (0, 24), "mapper": (0, 2), "cs": (0, 21), "year": (2007, 2077),
        "hitsounded": (0, 1), "song_length": (0, 60), "song_position": (-1, 101), "descriptor": (0, 2),
        "keycount": (1, 18), "hold_note_ratio": (-1, 12), "scroll_speed_ratio": (-1, 12), "global_sv": (40, 360),
    }  # fmt: skip
    ranges = [
        [{"type": kind, "min_value": low, "max_value": high} for kind, (low, high) in part.items()]
        for part in (out, given)
    ]
    names = ("none", "timing", "kiai", "map", "sv", "no_hs", "gd")
    return {
        "offset": 17, "context_sos": {name: 3 + 2 * i for i, name in enumerate(names)},
        "context_eos": {name: 4 + 2 * i for i, name in enumerate(names)}, "event_ranges": ranges[0],
        "input_event_ranges": ranges[1], "mapper_idx": {"7": 0, "8": 1}, "num_mapper_classes": 2,
        "descriptor_idx": {"clean": 0, "jump aim": 1},
    }  # fmt: skip


WORDS = Vocabulary(words())
OPTIONS = replace(PUBLISHED["v28"], frames=513, tokens=600, mix=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs, three maps of one and one of the other, in all three layouts."""
    pytest.importorskip("pyarrow")
    root = tmp_path_factory.mktemp("layouts")
    (root / "in").mkdir()
    songs = [click_track(root / f"{n}.wav", 14 + 3 * n) for n in (0, 1)]
    maps = [
        [tiny_map(m, f"m{m}", 14 + 3 * n, beatmap_id=10 * n + m + 1, beatmapset_id=n + 1) for m in modes]
        for n, modes in enumerate(((0, 1, 3), (0,)))
    ]
    for n in (0, 1):
        tiny_set(root / "in" / f"{n}.osz", songs[n], *maps[n])
    table = root / "table.json"
    table.write_text(json.dumps([{"id": 1, "user_id": 7, "ranked_date": "2016-01-01", "omdb_tags": ["clean"]}]))
    build(Order([root / "in"], root / "mmrs", metadata=table))
    build(Order([root / "in"], root / "ors", "ors", metadata=table))
    (root / "web").mkdir()
    for n in (0, 1):
        told = [
            {"content": write_beatmap(bm), "beatmap_id": bm.beatmap_id, "mode": bm.mode, "creator_id": 7,
             "approved_date": None, "submit_date": "2016-01-01 10:00:00", "difficultyrating": "2.5", "approved": "1"}
            for bm in maps[n]
        ]  # fmt: skip
        with tarfile.open(root / "web" / f"0{n}.tar", "w") as archive:
            for name, data in (("json", json.dumps({"beatmaps": told}).encode()), ("wav", songs[n].read_bytes())):
                info = tarfile.TarInfo(f"{n:05d}.{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    (root / "web" / "tags.csv").write_text("beatmap_id,clean,jump aim\n1,2,5\n2,1,0\n", "utf-8")
    return root


def stream(root: Path, options: SampleOptions = OPTIONS, **share: int) -> Iterator[dict[str, Any]]:
    return iter(Samples(root, WORDS, options, **{"seed": 1, **share}))


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in ("frames", "decoder_input_ids", "labels"))


def told_of(sample: dict[str, Any]) -> dict[str, int]:
    return dict(meaning for token in sample["decoder_input_ids"] if (meaning := WORDS.decode(int(token))))


@pytest.mark.parametrize("layout", ["mmrs", "ors", "web"])
def test_every_layout_gives_the_same_windows(folder: Path, layout: str) -> None:
    plain = replace(OPTIONS.plain(), selection=Selection(modes=(0,)))
    found = list(stream(folder / layout, plain))
    counts = [-(-(len(load_published(folder / f"{n}.wav")) // 128 + 1) // 512) for n in (0, 1)]
    assert [s["beatmap_id"] for s in sorted(found, key=lambda s: s["beatmap_id"])] == [1] * counts[0] + [11] * counts[1]
    sample = next(s for s in found if s["beatmap_id"] == 1 and s["song_position"][0] == 0)
    assert np.array_equal(sample["frames"], load_published(folder / "0.wav")[: 512 * 128])
    told = told_of(sample)
    assert (told["mapper"], sample["mapper_idx"]) == (0, 0)
    styles = [int(token) - WORDS.ids("descriptor").start for token in sample["decoder_input_ids"]]
    assert [style for style in styles if 0 <= style <= 2] == ([1, 0] if layout == "web" else [0])  # by votes
    assert told["year"] == (2077 if layout == "ors" else 2016)
    assert sample["labels"][-1] == 2 and sample["labels"][0] == -100


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(stop=1), {1, 2, 4}), (Selection(start=1), {11}), (Selection(modes=(1, 3)), {2, 4}),
        (Selection(years=(2015, 2016)), {1}), (Selection(stars=(0.0, 0.01)), set()), (Selection(ranked=(4,)), set()),
    ],
)  # fmt: skip
def test_maps_are_selected(folder: Path, selection: Selection, ids: set[int]) -> None:
    found = stream(folder / "mmrs", replace(OPTIONS.plain(), selection=selection))
    assert {sample["beatmap_id"] for sample in found} == ids


def test_a_stream_is_made_by_its_seed_and_shared_without_overlap(folder: Path) -> None:
    first, again = (list(itertools.islice(stream(folder / "mmrs"), 30)) for _ in range(2))
    assert all(map(same, first, again))
    other = list(itertools.islice(stream(folder / "mmrs", seed=2), 30))
    assert not all(map(same, first, other))
    epoch = replace(OPTIONS.plain(), endless=False)
    shares = [list(stream(folder / "mmrs", epoch, rank=rank, world=2)) for rank in (0, 1)]
    whole = list(stream(folder / "mmrs", epoch))
    assert sum(map(len, shares)) == len(whole) and all(shares)
    assert not {s["beatmap_id"] for s in shares[0]} & {s["beatmap_id"] for s in shares[1]}
    lonely = next(stream(folder / "mmrs", rank=6, world=7))  # more ranks than songs
    assert lonely["frames"].shape == (512 * 128,)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_go_on_where_they_were(folder: Path, workers: int) -> None:
    def begun() -> Any:
        return batches(Samples(folder / "mmrs", WORDS, OPTIONS, seed=3), rows=4, buffer=12, workers=workers)

    source, kept, states = begun(), [], []
    for batch in itertools.islice(source, 8):
        kept.append(batch)
        states.append(json.loads(json.dumps(source.state_dict())))
    for at in (0, 2, 4):
        later = begun()
        later.load_state_dict(states[at])
        for want, got in zip(kept[at + 1 :], later, strict=False):
            assert all(np.array_equal(want[name], got[name]) for name in want)


def test_batches_hold_about_as_many_tokens(folder: Path) -> None:
    source = batches(Samples(folder / "mmrs", WORDS, OPTIONS, seed=3), 2500, buffer=40)
    sizes = [int(batch["decoder_attention_mask"].sum()) for batch in itertools.islice(source, 6)]
    assert max(sizes) < 1.35 * min(sizes) and max(sizes) < 3000
    batch = next(iter(source))
    rows, longest = batch["decoder_input_ids"].shape
    assert batch["labels"].shape == (rows, longest) and batch["song_position"].shape == (rows, 2)
    assert (batch["labels"][~batch["decoder_attention_mask"]] == -100).all()
    assert batch["frames"].dtype == np.float32


def test_a_set_is_read_once_for_measuring(folder: Path) -> None:
    samples = Samples(folder / "mmrs", WORDS, OPTIONS.plain(), seed=3)
    given = [batch for _ in range(2) for batch in batches(Samples(folder / "mmrs", WORDS, OPTIONS.plain(), seed=3), rows=4)]
    assert sum(len(batch["labels"]) for batch in given) == 2 * len(list(samples))


@given(st.lists(st.integers(1, 900), min_size=1, max_size=60), st.integers(1, 8))
def test_dealing_is_even(lengths: list[int], rows: int) -> None:
    count = -(-len(lengths) // rows)
    dealt = deal(lengths, count, rows)
    assert sorted(i for members in dealt for i in members) == list(range(len(lengths)))
    assert all(len(members) <= rows for members in dealt)
    free = deal(lengths, count, len(lengths))
    sums = [sum(lengths[i] for i in members) for members in free]
    assert max(sums) - min(sums, default=0) <= max(lengths) or len(free) < count


def test_the_hub_is_read_file_by_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pytest.importorskip("huggingface_hub")
    fetched: list[str] = []

    def fetch(repository: str, name: str, **_: str) -> str:
        fetched.append(name)
        return str(folder / "web" / Path(name).name)

    names = ["packed/01.tar", "packed/00.tar", "README.md", "other/00.tar"]
    monkeypatch.setattr(client, "list_repo_files", lambda repository, repo_type: names)
    monkeypatch.setattr(client, "hf_hub_download", fetch)
    options = replace(OPTIONS.plain(), selection=Selection(tag_table=folder / "web" / "tags.csv"))
    remote = Samples("hf://someone/maps/packed", WORDS, options, seed=1)
    assert not fetched
    assert all(map(same, remote, stream(folder / "web", options)))
    assert fetched == ["packed/00.tar", "packed/01.tar"]


def test_nothing_usable_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no data set"):
        Samples(tmp_path, WORDS, OPTIONS, seed=1)
    with pytest.raises(UserError, match="dataset build"):
        Samples(tmp_path / "nowhere", WORDS, OPTIONS, seed=1)
    with pytest.raises(UserError, match="makes a training sample"):
        next(stream(folder / "ors", replace(OPTIONS, selection=Selection(stars=(50, 60)))))


def pieces(options: SampleOptions, seed: int = 0, frames: int = 2000, **fields: Any) -> list[Any]:
    chart = Chart(tiny_map(**fields), 1, 7, 2016, ((1.0, 2.5),), ("clean",))
    maker = Assembler(WORDS, options, frames, np.random.default_rng(seed))
    return list(maker.pieces(Take.of(chart, options.profile), None, options.profile.templates[0]))


def test_everything_that_can_be_unknown_sometimes_is() -> None:
    unknown = {
        "difficulty": 24, "mapper": 2, "cs": 21, "year": 2077, "descriptor": 2, "hold_note_ratio": 12,
        "scroll_speed_ratio": 12,
    }  # fmt: skip
    options = replace(OPTIONS, offset_chance=0.0)
    seen: dict[str, set[bool]] = {}
    for mode, seed in itertools.product((0, 3), range(12)):
        for piece in pieces(options, seed, mode=mode):
            for kind, value in told_of({"decoder_input_ids": piece.tokens}).items():
                if kind in unknown:
                    seen.setdefault(kind, set()).add(value == unknown[kind])
    assert seen == dict.fromkeys(unknown, {True, False})
    never = replace(options, forget={})
    assert all(piece.mapper == 0 for piece in pieces(never))
    always = replace(options, forget=dict.fromkeys(options.forget, 1.0))
    assert all(piece.mapper == 2 for piece in pieces(always))


def test_noise_is_on_inputs_alone_and_within_bounds() -> None:
    still = OPTIONS.plain()
    times, snaps = WORDS.ids("t"), WORDS.ids("snap")
    for change, ids in ((replace(still, time_noise=2, shared_noise=3), times), (replace(still, snap_noise=0.5), snaps)):
        moved = 0
        for clean, noisy in zip(pieces(still), pieces(change), strict=True):
            assert np.array_equal(clean.labels, noisy.labels)
            differs = clean.tokens != noisy.tokens
            assert all(token in ids for token in (*clean.tokens[differs], *noisy.tokens[differs]))
            if ids is times:
                assert np.abs(clean.tokens - noisy.tokens).max() <= 5
            moved += int(differs.sum())
        assert moved > 20


def test_held_back_windows_learn_their_later_part_only() -> None:
    still = replace(OPTIONS.plain(), lookback=0.25, lookback_chance=1.0)
    for piece in pieces(still):
        spoken = [(WORDS.decode(int(token)), token) for token in piece.labels if token >= 0]
        times = [meaning[1] for meaning, _ in spoken if meaning and meaning[0] == "t"]
        assert all(time >= 102 for time in times)
        assert {5, 6, 9, 10} <= {int(token) for _, token in spoken}  # markers are always learned
    ahead = replace(OPTIONS.plain(), lookahead=0.5)
    for piece in pieces(ahead):
        meanings = [meaning for token in piece.tokens if (meaning := WORDS.decode(int(token)))]
        assert all(value < 205 for kind, value in meanings if kind == "t")


def test_what_does_not_fit_is_cut_at_the_end() -> None:
    whole, tight = pieces(OPTIONS.plain()), pieces(replace(OPTIONS.plain(), tokens=60))
    for full, cut in zip(whole, tight, strict=True):
        assert len(cut.tokens) == len(cut.labels) <= 60 and cut.labels[-1] == 2
        head = int(np.flatnonzero(full.tokens == 1)[0])
        assert np.array_equal(full.tokens[: head + 10], cut.tokens[: head + 10])


def test_speed_moves_times_and_stars() -> None:
    chart = Chart(tiny_map(), stars=((0.5, 1.0), (1.0, 2.0), (2.0, 5.0)))
    assert (chart.stars_at(1.5), chart.stars_at(0.75)) == (3.5, 1.5)
    computed = Chart(tiny_map())
    assert computed.stars_at(1.5) > computed.stars_at(1.0) > 0
    slow, fast = (Take.of(chart, PROFILES["v28"], speed).contexts["map"] for speed in (1.0, 1.25))
    assert [int(mark.time / 1.25) for mark in slow] == [mark.time for mark in fast]
    assert [m.value for m in slow if m.kind == "snap"] == [m.value for m in fast if m.kind == "snap"]


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_twice_mirrored_is_the_same(mode: int) -> None:
    bm = tiny_map(mode)
    once = flipped(bm, True, True)
    assert flipped(once, True, True) == bm or mode == 3
    if mode == 3:
        assert [3 - bm.column(obj) for obj in bm.hit_objects] == [once.column(obj) for obj in once.hit_objects]
    for obj, other in zip(bm.hit_objects, once.hit_objects, strict=True):
        if isinstance(obj, Slider) and isinstance(other, Slider):
            assert [(512 - p.x, 384 - p.y) for p in obj.path.points] == [(p.x, p.y) for p in other.path.points]
    assert Chart(bm).wishes().scroll_speed_ratio == pytest.approx(1 / 36)


def test_weights_of_maps(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "weights.csv"
    table.write_text("id,weight\n1,30\n2,0.01\n", "utf-8")
    found = stream(folder / "mmrs", replace(OPTIONS.plain(), sample_weights=table))
    weights = {sample["beatmap_id"]: float(sample["sample_weights"]) for sample in found}
    assert weights[1] == pytest.approx(10 / 5.05) and weights[2] == pytest.approx(0.1 / 5.05) and weights[4] == 1.0
