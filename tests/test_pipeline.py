"""The walk from song to files, with a mapper that is quick and simple in place of the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from songs import click_track

from mapperatorinator.audio import Audio
from mapperatorinator.beatmap import Beatmap, Circle, read_beatmap, read_osz
from mapperatorinator.checks import Issue, Severity
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event, EventKind, Hitsound
from mapperatorinator.pipeline import generate, read_recipe, walk
from mapperatorinator.pipeline.candidates import Ask, choose
from mapperatorinator.pipeline.delivery import deliver, find_target
from mapperatorinator.pipeline.naming import difficulty_names
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing


class Metronome:
    """Puts a circle on every beat, half beat or quarter beat, at random places: more stars, more circles."""

    def map(
        self, audio: Audio, timing: Timing, settings: Settings, given: Sequence[Event] | None = None,
        reference: Beatmap | None = None,
    ) -> Iterator[Event]:  # fmt: skip
        rng = np.random.default_rng(settings.seed)
        first, last = settings.start_time or 0, settings.end_time or audio.duration_ms - 1000
        stars = settings.difficulty or 0
        step = 1.0 if stars < 2 else 0.5 if stars < 4 else 0.25
        events = list(given or [])
        for beat in np.arange(np.ceil(timing.beat_at(first)), timing.beat_at(last), step):
            time = round(float(timing.time_of(beat)))
            if time >= first:
                x, y = rng.integers(100, 400), rng.integers(80, 300)
                combo = bool(beat % 4 == 0)
                events.append(
                    Event(
                        EventKind.CIRCLE, time, 1, int(x), int(y), new_combo=combo, hitsounds=(Hitsound(8),)
                    )
                )
        yield from sorted(events, key=lambda event: event.time)


class Mute:
    """A mapper to which nothing comes to mind."""

    def map(self, *_: object) -> Iterator[Event]:
        return iter(())


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return click_track(tmp_path_factory.mktemp("song") / "Some Artist - Some Title.wav")


@pytest.fixture
def asked(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that reach the metronome, with the timing known and output into an empty folder."""
    monkeypatch.setattr(walk, "_load", lambda settings: Metronome())
    return Settings(
        audio_path=str(song), output_path=str(tmp_path / "out"), bpm=120, offset=100, seed=1, difficulty=2.5
    )


def test_a_song_becomes_a_set_and_a_recipe(asked: Settings) -> None:
    steps = []
    result = generate(asked, steps.append)
    assert [path.name for path in result.files] == [
        "Some Artist - Some Title.osz",
        "Some Artist - Some Title.recipe.json",
    ]
    mapset = read_osz(result.path)
    (beatmap,) = mapset.beatmaps
    assert beatmap.audio_filename in mapset.files
    assert (beatmap.title, beatmap.artist, beatmap.creator) == (
        "Some Title",
        "Some Artist",
        "Mapperatorinator",
    )
    assert (
        beatmap.difficulty_name == "AI Normal" and "ai-generated" in beatmap.tags and "seed=1" in beatmap.tags
    )
    assert (beatmap.beatmap_id, beatmap.beatmapset_id) == (0, -1)
    assert beatmap.red_lines()[0].time == 100 and beatmap.red_lines()[0].beat_length == 500
    assert not result.made[0].candidate.problems and not result.notes
    assert [step.done for step in steps] == sorted(step.done for step in steps) and steps[-1].done == 1
    recipe = json.loads(result.files[1].read_text(encoding="utf-8"))
    assert recipe["settings"]["seed"] == 1 and recipe["timing"] == [[100.0, 500.0, 4]]
    assert recipe["results"][0]["asked_stars"] == 2.5


def test_same_seed_and_recipe_give_the_same_bytes(asked: Settings, tmp_path: Path) -> None:
    first = generate(asked)
    second = generate(replace(asked, output_path=str(tmp_path / "again")))
    recipe = read_recipe(first.files[1])
    third = generate(replace(recipe.settings, output_path=str(tmp_path / "third")), timing=recipe.timing)
    other = generate(replace(asked, seed=2, output_path=str(tmp_path / "other")))
    assert (
        first.path.read_bytes()
        == second.path.read_bytes()
        == third.path.read_bytes()
        != other.path.read_bytes()
    )


def test_a_seed_drawn_by_chance_stands_in_the_recipe(asked: Settings) -> None:
    result = generate(replace(asked, seed=None, candidates=2, difficulty=None, difficulties=(2, 3)))
    assert result.recipe["settings"]["seed"] == result.settings.seed is not None
    recipe = read_recipe(result.files[1])
    again = generate(replace(recipe.settings, output_path=asked.output_path), timing=recipe.timing)
    assert again.path.read_bytes() == result.path.read_bytes()


def test_nothing_is_overwritten(asked: Settings) -> None:
    first, second = generate(asked), generate(asked)
    assert second.path.name == "Some Artist - Some Title (2).osz" and first.path.exists()
    named = generate(replace(asked, output_path=str(first.path.parent / "mine.osz")))
    assert named.path.name == "mine.osz"


def test_a_spread_has_one_timing_and_names_that_differ(asked: Settings) -> None:
    result = generate(replace(asked, difficulties=(4.5, 1.5, 5.0), candidates=1))
    beatmaps = result.beatmaps
    assert [made.asked_stars for made in result.made] == [1.5, 4.5, 5.0]
    assert len({beatmap.difficulty_name for beatmap in beatmaps}) == 3
    assert beatmaps[0].red_lines() == beatmaps[1].red_lines() == beatmaps[2].red_lines()
    assert len({beatmap.tags for beatmap in beatmaps}) == 1
    assert beatmaps[0].approach_rate < beatmaps[1].approach_rate <= beatmaps[2].approach_rate


def test_asked_difficulty_settings_and_names_are_exact(asked: Settings) -> None:
    wishes = {
        "circle_size": 3.7,
        "approach_rate": 8.2,
        "overall_difficulty": 7.1,
        "hp_drain_rate": 4.4,
        "title": "A Title",
        "artist": "An Artist",
        "creator": "Someone",
        "version": "My Diff",
        "source": "A Game",
        "preview_time": 12_000,
    }
    beatmap = generate(replace(asked, **wishes)).beatmaps[0]
    wishes["difficulty_name"] = wishes.pop("version")
    assert {name: getattr(beatmap, name) for name in wishes} == wishes
    assert "ai-generated" in beatmap.tags


def test_names_in_any_script_keep_both_spellings(asked: Settings) -> None:
    beatmap = generate(replace(asked, title="カタカナ", artist="夜の歌")).beatmaps[0]
    assert (beatmap.title_unicode, beatmap.artist_unicode) == ("カタカナ", "夜の歌")
    assert beatmap.title.isascii() and beatmap.artist.isascii() and beatmap.title and beatmap.artist


def test_a_range_is_drawn_and_the_rest_of_the_reference_stays(asked: Settings, tmp_path: Path) -> None:
    bare = generate(replace(asked, export_osz=False))
    assert bare.path.suffix == ".osu"
    (bare.path.parent / "Some Artist - Some Title.wav").write_bytes(Path(asked.audio_path).read_bytes())
    wanted = Settings(
        beatmap_path=str(bare.path),
        add_to_beatmap=True,
        start_time=10_000,
        end_time=20_000,
        seed=9,
        export_osz=False,
        output_path=str(tmp_path / "part"),
    )
    before, after = read_beatmap(bare.path), read_beatmap(generate(wanted).path)

    def outside(beatmap: Beatmap) -> list:
        return [item for item in beatmap.hit_objects if not 10_000 <= item.time <= 20_000]

    assert outside(before) == outside(after)
    assert before.hit_objects != after.hit_objects
    assert before.red_lines() == after.red_lines()
    assert (after.approach_rate, after.title, after.mode) == (before.approach_rate, before.title, before.mode)


def test_the_reference_can_be_written_into(asked: Settings) -> None:
    bare = generate(replace(asked, export_osz=False))
    (bare.path.parent / "Some Artist - Some Title.wav").write_bytes(Path(asked.audio_path).read_bytes())
    result = generate(
        Settings(
            beatmap_path=str(bare.path),
            add_to_beatmap=True,
            overwrite_reference_beatmap=True,
            start_time=10_000,
            end_time=20_000,
            seed=5,
        )
    )
    assert result.path == bare.path


def test_timing_of_a_reference_is_taken_over(asked: Settings, tmp_path: Path) -> None:
    bare = generate(replace(asked, export_osz=False))
    result = generate(replace(asked, beatmap_path=str(bare.path), in_context=("TIMING",), bpm=90, offset=0))
    assert result.timing.bpm == 120 and result.timing.offset == 100


def test_what_the_model_cannot_follow_is_said(asked: Settings) -> None:
    notes = generate(replace(asked, descriptors=("tech", "purple"), timer_num_beams=2)).notes
    assert len(notes) == 2 and "timer_num_beams" in notes[0]
    assert "style purple;" in notes[1] and "tech" in notes[1]


def test_timing_alone_has_no_objects(asked: Settings) -> None:
    result = generate(replace(asked, output_type=("TIMING",), export_osz=False))
    assert result.beatmaps[0].hit_objects == [] and result.beatmaps[0].red_lines()[0].beat_length == 500


def test_a_map_without_objects_is_never_written(asked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_load", lambda settings: Mute())
    with pytest.raises(UserError, match="No map came out"):
        generate(asked)
    assert not Path(asked.output_path).exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"audio_path": "nowhere.mp3"}, "does not exist"),
        ({"audio_path": ""}, "There is no song"),
        ({"beatmap_path": "nowhere.osu"}, "no beatmap at"),
        ({"beatmap_path": "song.osz"}, "must be an .osu"),
        ({"background": "nowhere.png"}, "no background picture"),
        ({"output_path": __file__ + "/below"}, "is a file"),
    ],
)
def test_what_cannot_be_used_is_said_before_any_work(asked: Settings, change: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        generate(replace(asked, **change), lambda step: pytest.fail("work began"))
    assert not Path(asked.output_path).exists()


def test_the_disk_gets_all_files_or_none(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left"):
        deliver({tmp_path / "a.osz": lambda path: path.write_text("whole"), tmp_path / "b.json": full})
    assert list(tmp_path.iterdir()) == []


def test_targets(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    assert find_target("", song).folder == tmp_path
    assert (
        find_target(str(tmp_path / "new" / "deep"), song).file("a.osz") == tmp_path / "new" / "deep" / "a.osz"
    )
    assert find_target(str(tmp_path / "x.osz"), song).file("a.osz") == tmp_path / "x.osz"
    (tmp_path / "Vol. 1.osz").touch()
    assert find_target("", song).file("Vol. 1.osz").name == "Vol. 1 (2).osz"


def test_difficulty_names_follow_mode_and_keys() -> None:
    assert difficulty_names(Settings(), [1.5, 4.5]) == ["AI Easy", "AI Insane"]
    assert difficulty_names(Settings(gamemode=3, keycount=7), [4.5]) == ["AI 7K Insane"]
    assert difficulty_names(Settings(gamemode=1, ai_mark=False), [3]) == ["Muzukashii"]
    assert difficulty_names(Settings(version="X"), [3, 5]) == ["X 3", "X 5"]


def _map_of(stars: float) -> Beatmap:
    """Stands for a map; its circle size carries the stars that `star_rating` is patched to say."""
    return Beatmap(circle_size=stars, hit_objects=[Circle(x=0, y=0, time=0)])


@pytest.fixture
def rated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mapperatorinator.pipeline.candidates.star_rating", lambda beatmap: beatmap.circle_size
    )


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize(
    "got_for", [lambda aim: aim + 0.8, lambda aim: aim * 0.7, lambda aim: aim * 1.3 - 0.2]
)
def test_further_candidates_close_in_on_the_asked_stars(got_for) -> None:
    best = choose(
        4.0, 0, 4, lambda ask: _map_of(got_for(ask.aim)), lambda beatmap: [], lambda *_: pytest.fail()
    )
    assert best is not None and abs(best.stars - 4.0) <= 0.05


@pytest.mark.usefixtures("rated")
def test_a_nearly_right_candidate_keeps_its_rhythm_and_is_spaced_anew() -> None:
    asks = []

    def draw(ask: Ask) -> Beatmap:
        asks.append(ask)
        return _map_of(3.4 * ask.spacing**0.5)

    best = choose(4.0, 7, 4, draw, lambda beatmap: [], lambda *_: pytest.fail(), spaced=True)
    assert best is not None and abs(best.stars - 4.0) <= 0.05
    assert {(ask.aim, ask.seed) for ask in asks} == {(4.0, 7)} and best.ask.spacing > 1.2


@pytest.mark.usefixtures("rated")
def test_where_asking_for_stars_does_not_help_the_map_is_filled() -> None:
    asks = []

    def draw(ask: Ask) -> Beatmap:
        asks.append(ask)
        return _map_of(3.0 * ask.density**0.6)

    best = choose(6.0, 7, 4, draw, lambda beatmap: [], lambda *_: pytest.fail())
    assert best is not None and abs(best.stars - 6.0) <= 0.05
    assert {(ask.aim, ask.seed) for ask in asks} == {(6.0, 7)} and 3 < best.ask.density < 3.4


@pytest.mark.usefixtures("rated")
def test_a_close_candidate_ends_the_search_and_the_nearest_wins() -> None:
    drawn = []

    def draw(ask: Ask) -> Beatmap:
        drawn.append(ask.seed)
        return _map_of([5.0, 4.3, 3.2][ask.seed])

    best = choose(4.0, 0, 3, draw, lambda beatmap: [], lambda *_: pytest.fail())
    assert best is not None and best.stars == 4.3 and drawn == [0, 1, 2]
    assert choose(5.0, 0, 3, draw, lambda beatmap: [], lambda *_: pytest.fail()) is not None
    assert drawn == [0, 1, 2, 0]


@pytest.mark.usefixtures("rated")
def test_a_broken_candidate_is_repaired_and_a_valid_one_beats_a_nearer() -> None:
    def check(beatmap: Beatmap) -> list[Issue]:
        return [] if beatmap.title == "mended" else [Issue("x", Severity.PROBLEM, "broken", 0)]

    def repair(beatmap: Beatmap, problems: object, ask: Ask) -> Beatmap:
        return replace(_map_of(3.0), title="mended") if ask.seed == 1 else beatmap

    best = choose(4.0, 0, 2, lambda ask: _map_of(4.0), check, repair)
    assert best is not None and not best.problems and best.stars == 3.0 and best.ask.seed == 1
