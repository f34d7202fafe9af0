"""Where the tests find songs and recorded behaviour, and what they share.

The corpus and the fixtures are outside the repository: `MAPPERATORINATOR_CORPUS` and
`MAPPERATORINATOR_FIXTURES` name their folders (defaults `../shared/corpus`, `../shared/fixtures`).
A test that needs a folder that is not there is skipped with a message.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.internal.conjecture import providers

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("MAPPERATORINATOR_CORPUS", ROOT / ".." / "shared" / "corpus")).resolve()
FIXTURES = Path(os.environ.get("MAPPERATORINATOR_FIXTURES", ROOT / ".." / "shared" / "fixtures")).resolve()

os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine must not fail a property test, and a commit always tests the same examples
# (HYPOTHESIS_RANDOM=1 looks for new ones).
hypothesis_settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("HYPOTHESIS_RANDOM"),
)
hypothesis_settings.load_profile("house")
if not os.environ.get("HYPOTHESIS_RANDOM") and hasattr(providers, "_get_local_constants"):
    # It would also draw numbers that stand in the modules imported so far, which is another set in every process.
    providers._get_local_constants = lambda: providers._local_constants


def _folder(path: Path, variable: str) -> Path:
    if not path.is_dir():
        pytest.skip(f"{path} is not there (set {variable} to the folder)")
    return path


@lru_cache(maxsize=1)
def _rows() -> list[dict[str, str]]:
    with open(CORPUS / "maps.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of human-made maps and their songs."""
    return _folder(CORPUS, "MAPPERATORINATOR_CORPUS")


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """Folder of recorded inputs and outputs of the published system."""
    return _folder(FIXTURES, "MAPPERATORINATOR_FIXTURES")


@pytest.fixture(scope="session")
def corpus_rows(corpus: Path) -> list[dict[str, str]]:
    """Rows of the corpus's `maps.csv`, values as strings."""
    return _rows()


@pytest.fixture(scope="session")
def corpus_maps(corpus: Path) -> Callable[..., list[Path]]:
    """`corpus_maps(n, mode=None, split=None)`: up to n `.osu` paths, spread evenly over the table.

    Only maps that lie in the corpus as files (those with a song); always the same for the same
    arguments. `mode` is 0..3, `split` is 'train' or 'val'.
    """

    def pick(n: int, mode: int | None = None, split: str | None = None) -> list[Path]:
        paths = [
            corpus / row["path"]
            for row in _rows()
            if row["audio"]
            and (mode is None or int(row["mode"]) == mode)
            and (split is None or row["split"] == split)
        ]
        step = max(len(paths) / n, 1.0) if n else 1.0
        return [paths[int(i * step)] for i in range(min(n, len(paths)))]

    return pick


@pytest.fixture(scope="session")
def corpus_song(corpus: Path) -> Callable[[Path], Path]:
    """`corpus_song(map_path)`: the audio file of a corpus map."""
    songs = {row["path"]: row["audio"] for row in _rows()}

    def find(map_path: Path) -> Path:
        return corpus / songs[map_path.relative_to(corpus).as_posix()]

    return find
