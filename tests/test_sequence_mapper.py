"""The sequence mapper in the house: from the command with a published profile to an .osz."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sequences
from checks_maps import clean_map
from songs import click_track

torch = pytest.importorskip("torch")

from mapperatorinator.audio import load_audio  # noqa: E402
from mapperatorinator.beatmap import parse_beatmap, read_osz  # noqa: E402
from mapperatorinator.cli import profiles  # noqa: E402
from mapperatorinator.errors import UserError  # noqa: E402
from mapperatorinator.events import EventKind, beatmap_to_events  # noqa: E402
from mapperatorinator.mapper import load_mapper  # noqa: E402
from mapperatorinator.mapper.sequence.vocabulary import END, Vocabulary  # noqa: E402
from mapperatorinator.mapper.sequence.writer import Writer  # noqa: E402
from mapperatorinator.modding import Topic, review  # noqa: E402
from mapperatorinator.pipeline import generate  # noqa: E402
from mapperatorinator.settings import Settings  # noqa: E402
from mapperatorinator.timing import Timing  # noqa: E402

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
pytestmark = [
    pytest.mark.compat,
    pytest.mark.skipif(not sequences.families(), reason="the recorded checkpoints are not there"),
]
_FAR = 0.03  # how much less likely a later time is, per 10 ms


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A v32 checkpoint that knows one sentence: time, snap, place, circle, and again; beats in the timing context."""
    from safetensors.torch import save_file

    recorded = sequences.checkpoint("v32")
    vocabulary = Vocabulary(recorded.tokenizer)
    tensors = {name: tensor.clone() for name, tensor in recorded.tensors.items()}
    for name, tensor in tensors.items():
        if ".layers." in name and ("fc2" in name or "Wo" in name):
            tensor.zero_()  # so that the last token alone decides about the next
    embedding, out = tensors["decoder_embedder.weight"], tensors["transformer.proj_out.weight"]
    tensors["transformer.model.decoder.layer_norm.weight"].fill_(1)
    embedding.zero_()
    out.zero_()
    words = [
        ("begin", [vocabulary.starts["map"]], ["t"]), ("t", vocabulary.ids("t"), ["snap"]),
        ("snap", vocabulary.ids("snap"), ["pos"]), ("pos", vocabulary.ids("pos"), ["circle"]),
        ("circle", vocabulary.ids("circle"), ["t"]),
        ("timing", [vocabulary.starts["timing"]], ["timing_point"]),
    ]  # fmt: skip
    for row, (_, ids, following) in enumerate(words):
        embedding[list(ids), row] = 1
        out[:, row] = -8.0  # nothing else
        for word in following:
            said = list(vocabulary.ids(word))
            out[said, row] = 3.0 - (_FAR / 6.9 * torch.arange(len(said)) if word == "t" else 0)
    out[END, [word for word, _, _ in words].index("circle")] = 3.0 - _FAR / 6.9 * 1500  # when times run out
    folder = tmp_path_factory.mktemp("speaker")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
    for name, content in (("config.json", recorded.config), ("tokenizer.json", recorded.tokenizer)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def settings_of(folder: Path, **more) -> Settings:
    return Settings(
        model="v32", model_path=str(folder), output_type=("MAP",), seed=1, device="cpu", difficulty=3.0, **more
    )


def test_the_command_writes_a_map(speaker: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    song = click_track(tmp_path / "song.wav", 31.0)
    words = [f"model_path={speaker}", f"audio_path={song}", f"output_path={tmp_path}", "export_osz=true"]
    words += ["bpm=120", "offset=100", "seed=1", "device=cpu", "difficulty=3", "descriptors=['of the moon']"]
    assert profiles.run(["-cn", "inference_v32", *words], CONFIGS) == 0, capsys.readouterr().err
    assert "does not know descriptor 'of the moon'" in " ".join("".join(capsys.readouterr()).split())
    (beatmap,) = read_osz(next(tmp_path.glob("*.osz"))).beatmaps
    assert len(beatmap.hit_objects) > 20
    assert beatmap.red_lines()[0].bpm == pytest.approx(120)
    assert beatmap.difficulty_name.endswith("V32")


def test_legacy_maps_are_written_as_by_the_published_program(speaker: Path, tmp_path: Path) -> None:
    """No finishing: every sound is named in full, with the sample index that no map of ours has."""
    asked = settings_of(
        speaker, legacy=True, audio_path=str(click_track(tmp_path / "song.wav", 31.0)), output_path=str(tmp_path),
        bpm=120.0, offset=100.0, start_time=12_000, end_time=13_000, export_osz=False,
    )  # fmt: skip
    (beatmap,) = generate(asked).beatmaps
    assert beatmap.hit_objects and all(obj.sample.index == -1 for obj in beatmap.hit_objects)


def test_a_range_is_written_and_the_same_seed_writes_the_same(speaker: Path, tmp_path: Path) -> None:
    audio = load_audio(click_track(tmp_path / "song.wav", 31.0))
    settings = settings_of(speaker, start_time=12_000, end_time=15_000)
    timing, mapper = Timing.constant(120, 100), load_mapper(settings)
    first, second = (list(mapper.map(audio, timing, settings)) for _ in range(2))
    assert first and first == second
    assert all(12_000 - 10 <= event.time <= 15_010 for event in first)
    assert first != list(mapper.map(audio, timing, replace(settings, seed=2)))
    given = [event for event in mapper.map(audio, timing, replace(settings, start_time=None)) if event.time < 12_000]
    assert list(mapper.map(audio, timing, settings, given))


def test_scroll_speeds_that_are_given_stay(speaker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "write", lambda self, wanted: {name: [] for name in wanted})
    audio = load_audio(click_track(tmp_path / "song.wav", 31.0))
    text = "osu file format v14\n[General]\nMode: 3\n[TimingPoints]\n100,500,4,2,0,60,1,0\n9000,-50,4,2,0,60,0,0\n"
    reference = parse_beatmap(text + "[HitObjects]\n64,192,12100,1,0\n")
    settings = replace(settings_of(speaker), gamemode=3, in_context=("SV",))
    (begun, changed) = load_mapper(settings).map(audio, Timing.constant(120, 100), settings, None, reference)
    assert (changed.kind, changed.time, changed.scroll_speed) == (EventKind.SCROLL_SPEED_CHANGE, 9000, 2.0)
    assert begun.scroll_speed == 1.0


def test_a_model_judges_a_map(speaker: Path, tmp_path: Path) -> None:
    audio = load_audio(click_track(tmp_path / "song.wav", 31.0))
    text = "osu file format v14\n[TimingPoints]\n100,500,4,2,0,60,1,0\n[HitObjects]\n64,64,1100,1,0\n"
    events = beatmap_to_events(parse_beatmap(text))
    settings = settings_of(speaker)
    found = load_mapper(settings).score(events, audio, Timing.constant(120, 100), settings)
    kinds = [one for one in found if one.aspect == "kind"]
    assert [(one.said, one.expected) for one in kinds] == [("circle", "circle")] or len(kinds) == 1
    assert all(one.bits >= 0 and 0 <= one.likelihood <= 1 for one in found)


def test_a_model_reviews_a_map(speaker: Path, tmp_path: Path) -> None:
    """What the model says, category by category; its findings count by how rare they are in the map."""
    audio, beatmap = load_audio(click_track(tmp_path / "song.wav", 31.0)), clean_map(0)
    beatmap.hit_objects = [obj for obj in beatmap.hit_objects if beatmap.end_time(obj) < 30_000]
    report = review(beatmap, audio, load_mapper(settings_of(speaker)))
    found = [one for one in report.suggestions if one.surprisal is not None]
    assert report.notes == () and {one.topic for one in found} >= {Topic.PLACES, Topic.RHYTHM}
    starts = {round(obj.time) for obj in beatmap.hit_objects}
    assert all(0 <= one.surprisal < 64 for one in found) and any(one.time in starts for one in found)


def test_no_beat_is_no_crash(speaker: Path, tmp_path: Path) -> None:
    audio = load_audio(click_track(tmp_path / "song.wav", 31.0))
    settings = settings_of(speaker, super_timing=True, timer_iterations=1)
    mapper = load_mapper(settings)
    timing = mapper.find_timing(audio, settings)  # type: ignore[attr-defined]
    assert timing.bpm == pytest.approx(120, abs=0.5)
    assert any("no beat" in note for note in mapper.notes)  # type: ignore[attr-defined]


def test_what_a_model_cannot_do_is_said(speaker: Path) -> None:
    with pytest.raises(UserError, match="MAP, SV"):
        mapper = load_mapper(settings_of(speaker))
        from mapperatorinator.mapper.sequence.mapper import wanted_contexts

        settings = replace(settings_of(speaker), output_type=("KIAI",))
        wanted_contexts(mapper.model(settings), settings)  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="v30 knows osu! only"):
        load_mapper(replace(settings_of(speaker), model="v30", gamemode=3))
    with pytest.raises(UserError, match="choose the profile"):
        load_mapper(replace(settings_of(speaker), model="v30"))
    with pytest.raises(UserError, match="model_path"):
        load_mapper(Settings(model="v32"))


def test_without_torch_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.startswith("mapperatorinator.mapper.sequence")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"pip install 'mapperatorinator\[published\]'"):
        load_mapper(Settings(model="v32", model_path="x"))


