"""Refining positions by diffusion: exact ones for the coarse ones of published models, a last touch for our own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from mapperatorinator.beatmap import CATCH, OSU
from mapperatorinator.errors import UserError
from mapperatorinator.events import Event
from mapperatorinator.positions.classes import MapClasses
from mapperatorinator.settings import Settings
from mapperatorinator.timing import Timing

Tell = Callable[[], None]
Refine = Callable[[Sequence[Event], Settings, Tell], list[Event]]


def find_refiner(settings: Settings, timing: Timing) -> Refine | None:
    """What refines the events of this run's maps, or None if nothing shall be refined.

    It calls the third argument after every tenth of the work: on a processor that is a minute of a long map.
    UserError if the diffusion is asked for and cannot be loaded.
    """
    if not settings.generate_positions or settings.mode not in (OSU, CATCH) or "MAP" not in settings.output_type:
        return None
    return _toucher(timing) if settings.model == "embedded" else _published(settings, timing)


def _toucher(timing: Timing) -> Refine:
    from mapperatorinator.positions.touch import CATCH_WORD, touch_up

    def refine(events: Sequence[Event], asked: Settings, tell: Tell) -> list[Event]:
        words = (*asked.descriptors, *([CATCH_WORD] if asked.mode == CATCH else []))
        classes = MapClasses(asked.difficulty, asked.circle_size, descriptors=words)
        return touch_up(
            events, timing.points, asked.slider_multiplier or 1.4, classes, *_range(asked), seed=asked.seed or 0
        )

    return refine


def _published(settings: Settings, timing: Timing) -> Refine:
    try:
        from mapperatorinator.positions.model import load
        from mapperatorinator.positions.refine import Manner, refine_positions
    except ImportError as error:
        raise UserError(
            "generate_positions needs torch: pip install 'mapperatorinator[published]', or generate_positions=false."
        ) from error
    model = load(settings.diff_ckpt, settings.diff_refine_ckpt or None, settings.device, settings.offline)
    steps = tuple(int(count) for count in settings.timesteps)
    manner = Manner(
        steps or Manner.timesteps, settings.diff_cfg_scale, settings.refine_iters, settings.random_init,
        settings.max_seq_len, settings.overlap_buffer, settings.pad_sequence, legacy=settings.legacy,
    )  # fmt: skip

    def refine(events: Sequence[Event], asked: Settings, tell: Tell) -> list[Event]:
        tenths = iter(range(1, 10))
        due = next(tenths)

        def progress(share: float) -> None:
            nonlocal due
            if share * 10 >= due:
                due = next(tenths, 11)
                tell()

        first, last = _range(asked)
        within = replace(manner, start=first, end=last)
        classes = MapClasses(
            asked.difficulty, asked.circle_size, asked.mapper_id, asked.beatmap_id, asked.descriptors
        )
        return refine_positions(
            model, events, timing.points, asked.slider_multiplier or 1.4, classes, asked.negative_descriptors, within,
            asked.seed or 0, progress,
        )  # fmt: skip

    return refine


def _range(asked: Settings) -> tuple[float, float]:
    """First and last ms that may change."""
    first, last = asked.start_time, asked.end_time
    return -math.inf if first is None else float(first), math.inf if last is None else float(last)
