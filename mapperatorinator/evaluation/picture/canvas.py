"""A canvas to draw maps on: smooth shapes and text in logical pixels, drawn larger and then scaled down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # real pixels per logical pixel while drawing
Rgb = tuple[int, int, int]

BACKGROUND: Rgb = (18, 19, 26)
PANEL: Rgb = (29, 31, 41)
FRAME: Rgb = (58, 62, 80)
TEXT: Rgb = (226, 229, 240)
FAINT: Rgb = (134, 140, 162)
ACCENT: Rgb = (255, 196, 92)

# The game's editor colours beat lines by the finest division that a line belongs to.
SNAP_COLOURS: dict[int, Rgb] = {
    1: (255, 255, 255),
    2: (237, 52, 62),
    3: (160, 110, 245),
    4: (88, 178, 255),
    6: (232, 120, 220),
    8: (250, 216, 74),
    12: (120, 200, 140),
    16: (150, 110, 90),
}
UNSNAPPED: Rgb = (110, 116, 120)


class Canvas:
    """A picture of `width` x `height` logical pixels; colours are RGB 0..255, `alpha` 0..1."""

    def __init__(self, width: float, height: float, background: Rgb = BACKGROUND) -> None:
        self.width, self.height = round(width), round(height)
        self._image = Image.new("RGB", (self.width * SCALE, self.height * SCALE), background)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def picture(self) -> Image.Image:
        """The finished picture at its logical size."""
        return self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)

    def save(self, path: str | Path) -> None:
        """Write a PNG."""
        self.picture().save(path, format="PNG")

    def box(self, x: float, y: float, w: float, h: float, fill: Rgb | None = None, outline: Rgb | None = None,
            alpha: float = 1.0, radius: float = 0.0, line: float = 1.0) -> None:  # fmt: skip
        """A rectangle with its upper left corner at (x, y), rounded by `radius`."""
        corners = (_real(x), _real(y), max(_real(x + w), _real(x)), max(_real(y + h), _real(y)))
        self._draw.rounded_rectangle(
            corners, _real(radius), _shade(fill, alpha), _shade(outline, alpha), max(1, _real(line))
        )

    def disc(self, x: float, y: float, r: float, fill: Rgb | None = None, outline: Rgb | None = None,
             alpha: float = 1.0, line: float = 1.5) -> None:  # fmt: skip
        """A circle around (x, y)."""
        corners = ((x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE)
        self._draw.ellipse(corners, _shade(fill, alpha), _shade(outline, alpha), max(1, _real(line)))

    def line(self, points: Sequence[tuple[float, float]], colour: Rgb, width: float = 1.0,
             alpha: float = 1.0) -> None:  # fmt: skip
        """A line through points."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, _shade(colour, alpha), max(1, _real(width)), joint="curve")

    def polygon(self, points: Sequence[tuple[float, float]], fill: Rgb, alpha: float = 1.0) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], _shade(fill, alpha))

    def stroke(self, points: NDArray[np.float64], radius: float, colour: Rgb, alpha: float = 1.0) -> None:
        """A brush of `radius` drawn along points, shape (n, 2): overlaps do not darken it."""
        scaled, reach = points * SCALE, radius * SCALE
        low = np.floor(scaled.min(axis=0) - reach - 1).astype(int)
        high = np.ceil(scaled.max(axis=0) + reach + 1).astype(int)
        if (high - low > 8000).any():
            return
        mask = Image.new("L", (int(high[0] - low[0]), int(high[1] - low[1])), 0)
        brush = ImageDraw.Draw(mask)
        path = [(float(x), float(y)) for x, y in scaled - low]
        value = round(255 * alpha)
        brush.line(path, value, max(1, round(2 * reach)), joint="curve")
        for x, y in path:
            brush.ellipse((x - reach, y - reach, x + reach, y + reach), value)
        self._image.paste(colour, (int(low[0]), int(low[1])), mask)

    def text(self, x: float, y: float, words: str, size: float = 12, colour: Rgb = TEXT,
             anchor: str = "la", alpha: float = 1.0) -> None:  # fmt: skip
        """Words at (x, y); `anchor` as in Pillow: "la" left top, "mm" centred, "ra" right top."""
        self._draw.text(
            (x * SCALE, y * SCALE), words, _shade(colour, alpha), font(round(size * SCALE)), anchor=anchor
        )


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at a size in real pixels, so that no font need be installed."""
    return ImageFont.load_default(size=size)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """A colour between a (share 0) and b (share 1)."""
    red, green, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def _real(value: float) -> int:
    return round(value * SCALE)


def _shade(colour: Rgb | None, alpha: float) -> tuple[int, int, int, int] | None:
    return None if colour is None else (*colour, round(255 * alpha))
