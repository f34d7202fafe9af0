"""The container's files: what can be said of them without building."""

from __future__ import annotations

import re

import yaml
from conftest import ROOT


def test_the_image_is_made_of_files_that_are_there_and_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    words = [word for word, _ in steps]
    assert words[0] == "FROM" and set(words) <= {"FROM", "ARG", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "CMD"}
    assert [rest for word, rest in steps if word == "USER"] == ["mapper"]
    assert "USER" not in words[words.index("USER") + 1 :] and "RUN" not in words[words.index("USER") :]
    for word, rest in steps:
        if word == "COPY":
            *sources, _ = [part for part in rest.split() if not part.startswith("--")]
            assert all((ROOT / source).exists() for source in sources)
    assert re.search(r"^torch==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)


def test_the_services_keep_to_themselves() -> None:
    files = [yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in ("compose.yaml", "compose.gpu.yaml")]
    assert all(set(file) <= {"services", "volumes"} and set(file["services"]) == {"mapperatorinator"} for file in files)
    service = files[0]["services"]["mapperatorinator"]
    assert service["container_name"] == "mapperatorinator_space" and service["working_dir"] == "/workspace"
    assert not {"network_mode", "privileged", "user", "pid", "ipc"} & set(service)
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    named = set(files[0]["volumes"])
    assert all(mount.startswith((".", "..")) or mount.split(":")[0] in named for mount in service["volumes"])


def test_no_songs_and_no_secrets_go_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {".git", "data", "runs", "logs", ".env", "*.osz"} <= set(ignored)
