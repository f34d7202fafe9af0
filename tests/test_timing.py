"""Timing: the beat count of red lines, the fit from activations, and whole songs of clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapperatorinator.audio import Audio, Tags
from mapperatorinator.beatmap import read_beatmap
from mapperatorinator.errors import UserError
from mapperatorinator.timing import Timing, find_timing, red_line
from mapperatorinator.timing.constant import measure, read, settle
from mapperatorinator.timing.find import fit
from mapperatorinator.timing.harmony import SEMITONES, changes, semitones
from mapperatorinator.timing.lines import straight_lines
from mapperatorinator.timing.pieces import pieces
from mapperatorinator.timing.tempo import round_bpm
from mapperatorinator.timing.tracker import TEMPO_LOW, TEMPO_STEPS, Activations

lengths = st.floats(180, 1000)
spans = st.lists(st.tuples(st.floats(1500, 60_000), lengths, st.integers(2, 7)), min_size=1, max_size=5)


def timing_of(parts: list[tuple[float, float, int]], start: float = 0.0) -> Timing:
    """Red lines one after the other: (how long in ms, beat length, meter)."""
    points, time = [], start
    for span, length, meter in parts:
        points.append(red_line(time, length, meter))
        time += span
    return Timing(tuple(points))


@given(spans, st.floats(0, 100_000))
def test_beats_and_times_are_inverse(parts: list[tuple[float, float, int]], time: float) -> None:
    timing = timing_of(parts, 500.0)
    beat = timing.beat_at(time)
    # Where a section ends in mid-beat, or a hair after a whole beat, several times share a beat number.
    slack = 0.05 * timing.point_at(time).beat_length + 1e-6
    assert abs(float(timing.time_of(beat)) - time) <= slack
    assert timing.beat_at(timing.time_of(beat)) == pytest.approx(beat, abs=1e-6)


@given(spans)
def test_every_red_line_starts_on_a_whole_beat_and_a_downbeat(parts: list[tuple[float, float, int]]) -> None:
    timing = timing_of(parts)
    beats = timing.beat_at([point.time for point in timing.points])
    assert np.allclose(beats, np.round(beats))
    assert np.allclose(timing.beat_in_measure(beats), 0)


@given(spans)
def test_ticks_never_go_back(parts: list[tuple[float, float, int]]) -> None:
    ticks = timing_of(parts).tick_time(np.arange(-50, 2000), 12)
    assert (np.diff(ticks) >= -1e-6).all()


def test_constant_grid() -> None:
    timing = Timing.constant(120, 1000, meter=3)
    assert timing.beats(0, 3000).tolist() == [0, 500, 1000, 1500, 2000, 2500]
    assert timing.downbeats(0, 3000).tolist() == [1000, 2500]
    assert timing.scaled(2).bpm == pytest.approx(240)
    assert timing.shifted(-20).offset == 980
    assert timing.tick_time(3, 4) == pytest.approx(1375)


def test_timing_of_every_tenth_map(corpus_maps) -> None:
    for path in corpus_maps(20):
        beatmap = read_beatmap(path)
        timing = Timing.from_beatmap(beatmap)
        assert timing.offset == min(point.time for point in beatmap.red_lines())
        assert (np.diff(timing.tick_time(np.arange(1000))) >= 0).all()


def test_a_timing_needs_a_red_line() -> None:
    with pytest.raises(ValueError):
        Timing(())


@pytest.mark.parametrize(
    ("fitted", "error", "true"),
    [(174.001, 0.002, 174), (120.098, 0.001, 120.098), (132.497, 0.01, 132.5), (99.7, 0.5, 100), (172.65, 0.003, 172.65)],
)
def test_round_tempos_where_the_error_allows(fitted: float, error: float, true: float) -> None:
    assert round_bpm(fitted, error) == pytest.approx(true, abs=0.003)


def test_fewest_lines_through_beats() -> None:
    rng = np.random.default_rng(3)
    beats = np.concatenate([1000 + np.arange(120) * 350.0, 43_000 + np.arange(90) * 400.0]) + rng.normal(0, 4, 210)
    first, second = straight_lines(beats)
    assert (first.last, second.first) in {(120, 120), (121, 121)}
    assert first.beat_length == pytest.approx(350, abs=0.05)
    assert second.beat_length == pytest.approx(400, abs=0.05)


def heard(beats: np.ndarray, downbeats: np.ndarray, seconds: float, noise: float = 0.7, seed: int = 0) -> Activations:
    """Activations as the network gives them for beats at known times (ms), with noise."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * 100) // 4 * 4
    time = np.arange(frames) * 10.0

    def curve(times: np.ndarray) -> np.ndarray:
        nearest = np.abs(time[:, None] - times).min(axis=1) if len(times) else np.full(frames, 1e9)
        level = np.exp(-0.5 * (nearest / 10) ** 2) * 0.95 + 0.01
        return (np.log(level / (1 - level)) + rng.normal(0, noise, frames)).astype(np.float32)

    tempo = np.full((frames // 4, 104), -5.0, np.float32)
    local = np.interp(time[::4], beats[:-1], np.diff(beats))
    index = np.rint(np.log2(60_000 / local / TEMPO_LOW) * TEMPO_STEPS).astype(int)
    tempo[np.arange(len(tempo)), np.clip(index, 0, 103)] = -0.5
    return Activations(curve(beats), curve(downbeats), curve(beats), tempo, np.full((len(tempo), 5), -1.6, np.float32))


@pytest.mark.parametrize("bpm", [72.0, 90.0, 128.0, 132.5, 174.0, 222.22, 260.0])
@pytest.mark.parametrize("meter", [3, 4])
def test_fit_of_one_tempo_is_exact(bpm: float, meter: int) -> None:
    beats = 1234.0 + np.arange(int(80 * bpm / 60)) * 60_000 / bpm
    timing = fit(heard(beats, beats[::meter], 84.0))
    assert timing is not None and len(timing.points) == 1
    assert timing.bpm == pytest.approx(bpm, rel=2e-5)
    apart = (timing.offset - 1234.0) / (60_000 / bpm)
    assert abs(apart - round(apart)) * 60_000 / bpm <= 1.5
    assert timing.points[0].meter == meter
    assert round(apart) % meter == 0


@pytest.mark.parametrize(("meter", "first"), [(4, 0), (4, 1), (4, 3), (3, 2)])
def test_chords_show_where_a_measure_starts(meter: int, first: int) -> None:
    rng = np.random.default_rng(5)
    time = np.arange(int(40.02 * 16_000)) / 16_000
    number = np.floor((time - 0.02) / 0.5).astype(int)  # the sound starts 20 ms after the grid
    roots = 220.0 * 2 ** (rng.permutation(40) % 12 / 12)
    pitch = roots[(number - first) // meter]
    samples = sum(np.sin(2 * np.pi * np.cumsum(pitch * ratio) / 16_000) for ratio in (1, 1.25, 1.5)).astype(np.float32)
    silent = np.zeros(4000, np.float32)
    beats = np.arange(80) * 500.0
    harmony = semitones(0.1 * samples, 1000)
    assert harmony.shape == (1000, SEMITONES)
    activations = Activations(silent, silent, silent, silent[:1000, None], np.zeros((1000, 5), np.float32), harmony)
    found, place, plain = measure(activations, beats)
    assert (found, (-place) % found) == (meter, first)
    assert plain > 0.4


def test_silence_has_no_chords() -> None:
    harmony = semitones(np.zeros(16_000, np.float32), 50)
    assert not changes(harmony, np.arange(4) * 500.0).any()


def test_settle_finds_length_and_phase_from_a_rough_guess() -> None:
    beats = 500 + np.arange(200) * 345.678
    reading = settle(1 / (1 + np.exp(-heard(beats, beats[::4], 70).beat.astype(float))), 520.0, 345.4)
    assert reading.beat_length == pytest.approx(345.678, rel=3e-5)


def test_a_change_of_tempo_needs_two_red_lines() -> None:
    beats = np.concatenate([1000 + np.arange(96) * 400.0, 39_400 + np.arange(120) * 300.0])
    timing = fit(heard(beats, beats[::4], 77))
    assert timing is not None and len(timing.points) == 2
    assert [60_000 / point.beat_length for point in timing.points] == pytest.approx([150, 200], rel=1e-4)
    assert timing.points[1].time == pytest.approx(39_400, abs=3)


def test_a_constant_song_with_a_break_needs_one() -> None:
    beats = 1000 + np.arange(200) * 400.0
    activations = heard(beats, beats[::4], 82)
    activations.beat[3000:4200] = -4.0
    main = read(activations)[0]
    assert len(pieces(activations, main)) == 1


def clicks(bpm: float, offset_ms: float, seconds: float, meter: int = 4) -> Audio:
    """A click track, downbeats higher and louder; the sound begins exactly on the beat."""
    samples = np.zeros(int(seconds * 16_000), np.float32)
    time = np.arange(800) / 16_000
    for number, beat in enumerate(np.arange(offset_ms / 1000, seconds - 0.1, 60 / bpm)):
        strong = number % meter == 0
        click = (0.8 if strong else 0.5) * np.sin(2 * np.pi * (1600 if strong else 1000) * time) * np.exp(-time * 60)
        start = int(round(beat * 16_000))
        samples[start : start + 800] += click.astype(np.float32)
    return Audio(samples, 16_000, Tags(title="clicks"), Path("clicks.wav"))


@pytest.mark.parametrize("bpm", [100.0, 180.0])
def test_click_tracks_are_timed_exactly(bpm: float) -> None:
    timing = find_timing(clicks(bpm, 700.0, 60.0), convention="onset")
    factor = timing.bpm / bpm
    assert min(abs(factor - f) for f in (0.5, 1, 2)) < 1e-4
    apart = (timing.offset - 700.0) / min(60_000 / bpm, 60_000 / timing.bpm)
    assert abs(apart - round(apart)) * 60_000 / bpm < 15


def test_what_the_user_knows_is_kept() -> None:
    song = clicks(150, 700.0, 40.0)
    both = find_timing(song, bpm=151, offset=123)
    assert (both.bpm, both.offset) == (pytest.approx(151), 123)
    assert find_timing(song, bpm=75).bpm == pytest.approx(75)
    assert find_timing(song, offset=680.0).offset == 680.0


@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.0, 40.0])
def test_silence_has_no_beat(seconds: float) -> None:
    silence = Audio(np.zeros(int(seconds * 16_000), np.float32), 16_000, Tags(title="silence"), Path("silence.wav"))
    with pytest.raises(UserError, match="no steady beat"):
        find_timing(silence)
    assert find_timing(silence, bpm=120).bpm == pytest.approx(120)


def test_noise_and_short_clips_never_break() -> None:
    rng = np.random.default_rng(0)
    for seconds in (0.1, 1.0, 2.5, 3.0, 20.0):
        noise = rng.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)
        try:
            timing = find_timing(Audio(noise, 16_000, Tags(title="noise"), Path("noise.wav")))
        except UserError as error:
            assert "no steady beat" in str(error)
        else:
            assert timing.confidence < 0.5


def test_click_track_and_timing_beatmap(tmp_path: Path) -> None:
    import wave

    from mapperatorinator.beatmap import read_beatmap
    from mapperatorinator.timing.report import as_text, write_click_track, write_timing_beatmap

    song = tmp_path / "song.wav"
    with wave.open(str(song), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(2 * 44_100 * 3))
    timing = Timing.constant(120, 250, meter=3)
    write_click_track(song, timing, tmp_path / "clicks.wav")
    with wave.open(str(tmp_path / "clicks.wav")) as file:
        sound = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
    onsets = [int(np.argmax(sound[at:] > 500)) + at for at in (0, 30_000)]
    assert onsets[0] / 44.1 == pytest.approx(250, abs=0.5)
    assert onsets[1] / 44.1 == pytest.approx(750, abs=0.5)
    audio = Audio(np.zeros(48_000, np.float32), 16_000, Tags(title="Song", artist="Somebody"), song)
    write_timing_beatmap(audio, timing, tmp_path / "timing.osu")
    beatmap = read_beatmap(tmp_path / "timing.osu")
    assert Timing.from_beatmap(beatmap) == timing
    assert beatmap.audio_filename == "song.wav" and not beatmap.hit_objects
    assert len(as_text(timing)) == 1 and "120.000 BPM" in as_text(timing)[0]


@pytest.mark.parametrize(("gain", "bpm"), [(0.02, 240), (0.2, 120)])
def test_more_hearings_must_be_clearly_surer(gain: float, bpm: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from mapperatorinator.timing import find

    plain, voted = Timing.constant(240, 0, confidence=0.3), Timing.constant(120, 0, confidence=0.3 + gain)
    monkeypatch.setattr(find, "track", lambda samples: "once")
    monkeypatch.setattr(find, "vote", lambda samples, votes: "often")
    monkeypatch.setattr(find, "fit", lambda heard, bpm, offset: plain if heard == "once" else voted)
    song = Audio(np.ones(80_000, np.float32), 16_000, Tags(title="song"), Path("song.wav"))
    assert find_timing(song).bpm == pytest.approx(bpm)


def test_votes_of_several_decodings_are_one_timing() -> None:
    from mapperatorinator.timing.votes import counted

    rng, true = np.random.default_rng(2), 700 + np.arange(200) * 400.0
    votes = []
    for _ in range(20):
        kept = true[rng.random(200) > 0.1] + rng.normal(0, 5)
        votes.append((kept, true[::4]))
    timing = fit(counted(votes, 82_000))
    assert timing is not None and len(timing.points) == 1
    assert timing.bpm == 150 and timing.points[0].meter == 4
    assert abs((timing.offset - 700 + 800) % 1600 - 800) <= 4


def test_super_timing_hears_what_one_hearing_does() -> None:
    song = clicks(150, 400, 15)
    assert find_timing(song, votes=3).bpm == pytest.approx(find_timing(song).bpm)


def test_a_long_mix_is_heard_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from mapperatorinator.timing import tracker

    sound = clicks(140, 300, 40).samples
    whole = tracker.track(sound)
    monkeypatch.setattr(tracker, "_WHOLE", 2400)
    monkeypatch.setattr(tracker, "_PIECE", 1600)
    parts = tracker.track(sound)
    assert len(parts.beat) == len(whole.beat) and len(parts.tempo) == len(whole.tempo)
    assert np.mean(np.abs(parts.beat - whole.beat) < 0.5) > 0.95


def test_unknown_convention_is_refused() -> None:
    with pytest.raises(UserError, match="convention"):
        find_timing(clicks(120, 500, 20), convention="lazer")


def test_figures_of_a_perfect_and_of_a_doubled_guess() -> None:
    from mapperatorinator.evaluation.timing_metrics import apart, f_measure

    true = 1000 + np.arange(100) * 400.0
    assert f_measure(true, true, 20) == 1.0
    assert f_measure(true, true + 30, 20) == 0.0
    assert f_measure(true, true + 30, 70) == 1.0
    assert apart(true + 3, true) == (pytest.approx(3), pytest.approx(3))
    doubled = 1000 + np.arange(199) * 200.0 - 4
    assert apart(doubled, true)[0] == pytest.approx(-4)
    assert f_measure(true, doubled, 70) == pytest.approx(2 / 3, abs=0.01)
    assert apart(np.zeros(0), true) == (200.0, 200.0)


def test_charts_of_other_games() -> None:
    from mapperatorinator.evaluation.charts import _dance_with_intensity, _quaver, _stepmania

    stepmania = _stepmania("#OFFSET:-0.759;\n#BPMS:0.000=143.000,\n16.000=100.0;\n#STOPS:;")
    assert stepmania is not None
    assert [point.time for point in stepmania.points] == pytest.approx([759, 759 + 16 * 60_000 / 143])
    assert _stepmania("#OFFSET:0;#BPMS:0=120;#STOPS:4=0.5;") is None
    dance = _dance_with_intensity("#BPM:222.220;\n#GAP:1080;")
    assert dance is not None and (dance.offset, dance.bpm) == (1080, pytest.approx(222.22))
    quaver = _quaver("TimingPoints:\n- StartTime: 208.9\n  Bpm: 119\nSliderVelocities: []\n")
    assert quaver is not None and (quaver.offset, quaver.bpm) == (208.9, pytest.approx(119))


def test_truths_beside_songs(tmp_path: Path) -> None:
    import json

    from mapperatorinator.evaluation.timing_truth import truths

    with pytest.raises(UserError):
        truths(tmp_path)
    truth = {"source": "test", "bpm_segments": [{"t": 0.5, "bpm": 120, "meter": 4}],
             "beats": [0.5, 1.0, 1.5], "downbeats": [0.5]}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(truth))
    (tmp_path / "a.wav").write_bytes(b"")
    found = truths(tmp_path)
    assert [(t.name, t.source, t.constant, t.convention) for t in found] == [("a", "test", True, "onset")]
    assert found[0].beats.tolist() == [500, 1000, 1500]
