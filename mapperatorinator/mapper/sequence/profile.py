"""What a published version does that its checkpoint does not say: order of tokens, contexts, conditions.

Facts of the published training profiles, one `Profile` each; everything that a checkpoint does say (ranges, window,
sizes) is read from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mapperatorinator.errors import UserError


@dataclass(frozen=True)
class Template:
    """One arrangement of contexts: those given in front, those the model writes, in order."""

    given: tuple[str, ...]
    made: tuple[str, ...]


_MADE = ("timing", "kiai", "map", "sv")
_THREE = tuple(Template((given,), _MADE) for given in ("none", "no_hs", "gd"))
_ALL_TOKENS = (
    "gamemode", "difficulty", "mapper", "year", "hitsounded", "song_length", "global_sv", "cs", "keycount",
    "hold_note_ratio", "scroll_speed_ratio", "descriptor",
)  # fmt: skip
_NOT_VECTORS = tuple(t for t in _ALL_TOKENS if t not in ("difficulty", "mapper", "song_length"))


@dataclass(frozen=True)
class Profile:
    """How one version's tokens are arranged.

    types_first : a group's kind comes before its attributes. conditions : condition tokens in use.
    interleaved_beats : beats stand among the objects. distances : each position is preceded by its distance.
    precision : px of a position step; split_axes : x and y are tokens of their own; refinement : px of a second,
    finer position token. velocity : slider velocities are tokens (False: taiko only). untimed_last : a slider's last
    control point and the end of its first span are two groups. sustain_ms : how often something held is repeated.
    kiai_state, song_position : tokens in front that say where the window is. markers : contexts are marked.
    """

    name: str
    types_first: bool = True
    templates: tuple[Template, ...] = _THREE
    conditions: tuple[str, ...] = _ALL_TOKENS
    interleaved_beats: bool = False
    timing_points: bool = True
    distances: bool = True
    precision: int = 32
    split_axes: bool = False
    refinement: int | None = None
    velocity: bool = True
    untimed_last: bool = False
    sustain_ms: int | None = None
    kiai_state: bool = False
    song_position: bool = False
    markers: bool = True
    modes: tuple[int, ...] = (0, 1, 2, 3)

    def template(self, given: frozenset[str], wanted: frozenset[str]) -> Template:
        """The template that writes all that is wanted and uses most of what is given; UserError if none does."""
        fitting = [
            t for t in self.templates if wanted <= set(t.made) and set(t.given) - {"none"} <= given
        ]
        if not fitting:
            names = ", ".join(sorted(wanted)).upper()
            raise UserError(f"The model {self.name} cannot make {names}; choose other words in output_type.")
        return max(fitting, key=lambda t: sum(word != "none" for word in t.given))


_V28 = Profile("v28", kiai_state=True, song_position=True)
_V31 = replace(
    _V28, name="v31", conditions=_NOT_VECTORS, precision=4, split_axes=True, song_position=False
)
_V30 = Profile(
    "v30", types_first=False, templates=(Template((), ("map",)),),
    conditions=("keycount", "hold_note_ratio", "scroll_speed_ratio"), interleaved_beats=True,
    timing_points=False, precision=4, split_axes=True, velocity=False, markers=False, modes=(0,),
)  # fmt: skip
_V32 = Profile(
    "v32", types_first=False, templates=(Template((), ("timing", "map", "sv")),), distances=False, refinement=2,
    untimed_last=True, sustain_ms=8000, song_position=True,
)  # fmt: skip
PROFILES = {
    profile.name: profile
    for profile in (
        _V28, replace(_V28, name="v29", kiai_state=False), _V30, _V31, _V32, replace(_V32, name="v32-mini"),
    )
}  # fmt: skip
