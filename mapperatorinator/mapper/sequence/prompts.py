"""What the network is told before it writes: contexts given, conditions, and what is already written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mapperatorinator.errors import UserError
from mapperatorinator.mapper.sequence.profile import Profile, Template
from mapperatorinator.mapper.sequence.vocabulary import START, Mark, Vocabulary
from mapperatorinator.mapper.sequence.windows import song_position, within

MOST_HALVINGS = 10
_USUAL_SPEED = 100


@dataclass
class Context:
    """One kind of marks of the whole song.

    done : all of it is there. conditions : condition tokens of its own (a guest difficulty's).
    """

    name: str
    marks: list[Mark] = field(default_factory=list)
    done: bool = False
    conditions: list[int] | None = None


@dataclass
class Prompter:
    """Writes the prompts of one song's windows. size_ms : of a window. limit : most tokens of prompt and answer."""

    vocabulary: Vocabulary
    profile: Profile
    template: Template
    size_ms: float
    song_ms: float
    limit: int

    def prompt(
        self, given: Sequence[Context], made: Sequence[Context], conditions: Sequence[int], time: int, current: int
    ) -> list[int]:
        """The prompt for context `current` of `made` in the window that begins at `time` ms.

        UserError if even a part of the marks does not fit.
        """
        most: int | None = None
        for halving in range(MOST_HALVINGS + 1):
            tokens = self._tokens(given, made, conditions, time, current, most)
            if len(tokens) < self.limit:
                return tokens
            most = self.limit >> (halving + 1)
        raise UserError(
            f"What is given at {time / 1000:.0f} s does not fit into {self.limit} tokens; give fewer contexts."
        )

    def _tokens(
        self, given: Sequence[Context], made: Sequence[Context], conditions: Sequence[int], time: int,
        current: int, most: int | None,
    ) -> list[int]:  # fmt: skip
        tokens: list[int] = []
        for context in given:
            own: list[int] = []
            if context.conditions is not None:
                own = [*context.conditions, *self.state([context], time, required=False)]
            tokens += self._block(context, time, most, own, ended=True)
        tokens += [*conditions, *self.state(made[: current + 1], time, required=True), START]
        for number, context in enumerate(made[: current + 1]):
            tokens += self._block(context, time, most, [], ended=number < current)
        return tokens

    def _block(
        self, context: Context, time: int, most: int | None, own: Sequence[int], ended: bool
    ) -> list[int]:
        first, last = within(context.marks, time, time + self.size_ms)
        spelled = self.vocabulary.spell(context.marks[first:last], time)
        if most is not None:
            spelled = spelled[max(0, len(spelled) - most) :]
        marked = self.profile.markers
        begin = [self.vocabulary.starts[context.name]] if marked else []
        return [*begin, *own, *spelled, *([self.vocabulary.ends[context.name]] if marked and ended else [])]

    def state(self, contexts: Sequence[Context], time: int, required: bool) -> list[int]:
        """Tokens that say how things stand where the window begins: kiai, scroll speed, place in the song."""
        made, profile = self.template.made, self.profile
        kiai = 0 if required and "kiai" in made else None
        speed = _USUAL_SPEED if required and profile.markers and ("sv" in made or profile.velocity) else None
        for context in contexts:
            if context.name == "kiai" and profile.kiai_state:
                kiai = _last(context.marks, "kiai", time, 0)
            if context.name in ("map", "gd", "sv") and speed_is_told(profile, context.name):
                speed = _last(context.marks, "scroll_speed", time, _USUAL_SPEED)
        tokens = [] if kiai is None else [self.vocabulary.encode("kiai", kiai)]
        if speed is not None:
            tokens.append(self.vocabulary.encode("scroll_speed", speed))
        if profile.song_position:
            tokens.append(self.vocabulary.encode("song_position", song_position(time, self.song_ms)))
        return tokens


def speed_is_told(profile: Profile, context: str) -> bool:
    """Whether a context holds scroll speeds."""
    return context == "sv" or profile.velocity


def _last(marks: Sequence[Mark], kind: str, time: int, default: int) -> int:
    """The value of the last mark of a kind before `time`."""
    return next((m.value for m in reversed(marks) if m.kind == kind and m.time < time), default)


