"""Jumps that nobody expects: two objects far wider apart than any others of the same rhythm move together."""

from __future__ import annotations

import math
from dataclasses import replace

from mapperatorinator.beatmap import OSU, Beatmap
from mapperatorinator.checks import REGISTRY, Severity
from mapperatorinator.checks.view import MapView
from mapperatorinator.finishing.places import moved

RADII = 4.0  # no two objects this close are too far apart
MOST_ROUNDS = 8


def tame_spacing(bm: Beatmap) -> Beatmap:
    """Return an osu! map in which no jump breaks the rule of abnormal spacing (objects in order of time)."""
    if bm.mode != OSU:
        return bm
    rule = REGISTRY["abnormal_spacing"].map_rule
    assert rule is not None
    for _ in range(MOST_ROUNDS):
        view = MapView(bm)
        jumps = [finding.objects for finding in rule(view) if finding.severity is Severity.PROBLEM]
        if not jumps:
            return bm
        objects = list(bm.hit_objects)
        for before, after in jumps:
            (x0, y0), (x1, y1) = view.tails[before], view.heads[after]
            share = 1 - (view.radius * RADII - 2) / max(math.dist((x0, y0), (x1, y1)), 1e-9)
            if share > 0:
                objects[after] = moved(objects[after], round((x0 - x1) * share), round((y0 - y1) * share))
        bm = replace(bm, hit_objects=objects)
    return bm
