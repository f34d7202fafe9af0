"""What the published models can say becomes a map that other programs read and our checks pass, in every mode.

The tokens are those of maps that people made, with the times (10 ms) and places that each family knows: what a trained
network would say at best. With `legacy=true` nothing is repaired, so only the readers are asked.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import sequences

from mapperatorinator.beatmap import read_beatmap, write_beatmap
from mapperatorinator.checks import Severity, run_checks
from mapperatorinator.evaluation.readers import rejections
from mapperatorinator.events import BEAT_KINDS, Event, events_to_beatmap
from mapperatorinator.finishing import finish
from mapperatorinator.mapper.sequence.profile import PROFILES
from mapperatorinator.mapper.sequence.reading import Reader
from mapperatorinator.mapper.sequence.times import events, in_pixels, timed
from mapperatorinator.mapper.sequence.vocabulary import Mark, Vocabulary
from mapperatorinator.mapper.sequence.windows import within
from mapperatorinator.mapper.sequence.writing import write

pytestmark = pytest.mark.compat
MAPS = [row for row in sequences.part("maps/index.json") or [] if not row["name"].startswith("synth")]
CASES = [(f, row["name"]) for row in MAPS for f in sequences.families() if row["mode"] in PROFILES[f].modes]
WINDOW_MS, MOST = 8000, 120  # objects, so that it does not take long
CATMULL = "only 0-dimensional arrays"  # the slider library does not read Catmull curves with numpy 2.4
GIVEN = {"unused_red_line", "drain_time"}  # the mapper's own red lines, the few objects


def said_of(family: str, marks: list[Mark], legacy: bool) -> list[Event]:
    """Marks through the vocabulary, window after window, and back."""
    vocabulary, profile = Vocabulary(sequences.tokenizer(family)), PROFILES[family]
    heard: list[Mark] = []
    end = marks[-1].time + WINDOW_MS if marks else 0
    for start in range(0, end, WINDOW_MS):
        first, last = within(marks, start, start + WINDOW_MS)
        heard += vocabulary.read(vocabulary.spell(marks[first:last], start), start)
    said = events(in_pixels(timed(heard, profile.types_first, end), profile, None), profile.types_first, legacy)
    return [event for event in said if event.kind not in BEAT_KINDS]


@pytest.mark.parametrize(("family", "name"), CASES)
def test_said_maps_are_whole_maps(family: str, name: str) -> None:
    source = read_beatmap(sequences.map_path(name))
    source.hit_objects = source.hit_objects[:MOST]
    profile, reader = PROFILES[family], Reader(source, PROFILES[family])
    known = {"kiai": reader.kiai, "map": reader.objects, "sv": reader.scroll}
    base = replace(source, hit_objects=[], timing_points=[], breaks=[], beatmap_id=0, beatmapset_id=-1, tags="AI")
    reds = source.red_lines()
    for legacy in (False, True):
        contexts = (said_of(family, known[name](), legacy) for name in profile.templates[0].made if name in known)
        said = sorted((event for context in contexts for event in context), key=lambda event: event.time)
        made = write(said, base, reds, True) if legacy else finish(events_to_beatmap(said, base, reds))
        refused = rejections(write_beatmap(made).encode(), len(made.hit_objects))
        assert {name: why for name, why in refused.items() if CATMULL not in why} == {}
        if legacy:
            continue
        assert len(made.hit_objects) > 0.95 * len(source.hit_objects)
        problems = [issue for issue in run_checks(made) if issue.severity is Severity.PROBLEM]
        assert not [issue for issue in problems if issue.check_id not in GIVEN], problems[:3]
