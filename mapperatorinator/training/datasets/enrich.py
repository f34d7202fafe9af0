"""What files do not say about maps (who made them, when, status, tags): from a table of the user's, or the osu! API.

Credentials come from the environment: OSU_CLIENT_ID and OSU_CLIENT_SECRET of an OAuth application.
"""

from __future__ import annotations

import csv
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mapperatorinator.beatmap.write import replace_file
from mapperatorinator.errors import UserError

CLIENT, SECRET, SERVER = "OSU_CLIENT_ID", "OSU_CLIENT_SECRET", "OSU_API_URL"
OFFICIAL = "https://osu.ppy.sh"
PER_CALL, PAUSE, PATIENCE, TRIES = 50, 1.0, 30.0, 3  # ids; s between calls (60 a minute are allowed); s; times
# Column of the data set -> names that tables and the API have for it; the first that is there counts.
NAMES = {
    "UserId": ("UserId", "user_id", "creator_id"),
    "Ranked": ("Ranked", "ranked", "approved"),
    "RankedDate": ("RankedDate", "ranked_date", "approved_date"),
    "SubmittedDate": ("SubmittedDate", "submitted_date", "submit_date"),
    "OmdbTags": ("OmdbTags", "omdb_tags", "descriptors"),
    "TopTagIds": ("TopTagIds", "top_tag_ids"),
    "TopTagCounts": ("TopTagCounts", "top_tag_counts"),
}
_KEYS = ("Id", "beatmap_id", "BeatmapId", "id")
_LISTS, _NUMBERS = {"OmdbTags", "TopTagIds", "TopTagCounts"}, {"UserId", "Ranked", "TopTagIds", "TopTagCounts"}
Known = dict[int, dict[str, Any]]


def read_table(path: Path) -> Known:
    """What a CSV or JSON file says about maps, by map id.

    CSV: a header with `beatmap_id` and any names of `NAMES`; lists are separated by semicolons. JSON: a list of such
    objects (also under "beatmaps"), or an object by id of such objects or of user ids. UserError if it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_rows(json.loads(text)) if path.suffix.lower() == ".json" else csv.DictReader(text.splitlines()))
        return {number: told for row in rows for number, told in [_told(row)] if number}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"The metadata in {path} cannot be read: {error}.") from error


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    value = value.get("beatmaps", value) if isinstance(value, dict) else value
    if isinstance(value, list):
        yield from value
        return
    for number, told in value.items():
        yield {"beatmap_id": number, **(told if isinstance(told, dict) else {"user_id": told})}


def _told(row: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The id of a map and the columns that a row fills."""
    number = next((int(row[key]) for key in _KEYS if row.get(key) not in (None, "")), 0)
    told: dict[str, Any] = {}
    for column, names in NAMES.items():
        value = next((row[name] for name in names if row.get(name) not in (None, "")), None)
        if value is None:
            continue
        if column in _LISTS:
            items = value.split(";") if isinstance(value, str) else list(value)
            told[column] = [int(item) for item in items] if column in _NUMBERS else [str(i).strip() for i in items]
        else:
            told[column] = int(value) if column in _NUMBERS else str(value)
    return number, told


def ask(numbers: Iterable[int], kept: Path, progress: Callable[[int], None] = lambda count: None) -> Known:
    """What the API says about maps, if there are credentials; answers are kept in a file and asked for once.

    UserError if the server refuses the credentials or cannot be reached.
    """
    known: Known = {}
    if kept.is_file():
        known = {int(n): told for n, told in json.loads(kept.read_text(encoding="utf-8")).items()}
    missing = sorted(set(numbers) - known.keys())
    if not (os.environ.get(CLIENT) and os.environ.get(SECRET) and missing):
        return known
    server = os.environ.get(SERVER, OFFICIAL).rstrip("/")
    token = _token(server)
    for begin in range(0, len(missing), PER_CALL):
        asked = missing[begin : begin + PER_CALL]
        query = urllib.parse.urlencode([("ids[]", number) for number in asked])
        answer = _call(f"{server}/api/v2/beatmaps?{query}", {"Authorization": f"Bearer {token}"})
        known |= {number: {} for number in asked}  # the server does not know them all
        known |= {number: told for number, told in map(_of_api, answer["beatmaps"]) if number in asked}
        replace_file(kept, json.dumps(known).encode())
        progress(begin + len(asked))
        if begin + PER_CALL < len(missing):
            time.sleep(PAUSE)
    return known


def _of_api(told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    tags: Sequence[dict[str, int]] = told.get("top_tag_ids") or ()
    of_set = {name: (told.get("beatmapset") or {}).get(name) for name in ("ranked_date", "submitted_date")}
    listed = {"top_tag_ids": [t["tag_id"] for t in tags], "top_tag_counts": [t["count"] for t in tags]} if tags else {}
    return _told({**told, "top_tag_ids": None, **of_set, **listed})


def _token(server: str) -> str:
    body = {
        "client_id": os.environ[CLIENT], "client_secret": os.environ[SECRET], "grant_type": "client_credentials",
        "scope": "public",
    }  # fmt: skip
    return str(_call(f"{server}/oauth/token", {"Content-Type": "application/json"}, json.dumps(body).encode())["access_token"])


def _call(url: str, headers: dict[str, str], body: bytes | None = None) -> dict[str, Any]:
    """One request; tried again when the server is busy."""
    request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})
    for left in range(TRIES - 1, -1, -1):
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise UserError(f"The osu! API refuses {CLIENT} and {SECRET}; check them on your account page.") from error
            if left and (error.code == 429 or error.code >= 500):
                time.sleep(float(error.headers.get("Retry-After") or PAUSE))
                continue
            raise UserError(f"The osu! API answers {error.code}; try again later, or without {CLIENT}.") from error
        except (OSError, ValueError) as error:
            if not left:
                raise UserError(f"The osu! API cannot be reached ({error}); try again, or without {CLIENT}.") from error
            time.sleep(PAUSE)
    raise AssertionError("unreachable")
