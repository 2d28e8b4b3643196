"""The documentation is true: its code runs, its commands run and print what is shown, its links lead somewhere."""

from __future__ import annotations

import fnmatch
import re
import runpy
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from takens.cli import commands, main
from takens.systems import names, system

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
ELSEWHERE = ("make", "pip", "git", "python", "cd")
"""Commands that pages show and that other tests or a fresh clone run."""


def blocks(page: Path) -> Iterator[tuple[str, str, int]]:
    """(language, text, line) of each fenced block."""
    language, lines, start = None, [], 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif language is None:
            language, lines, start = line[3:].strip(), [], number + 1
        else:
            yield language, "\n".join(lines), start
            language = None


def console(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines it should print) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.replace("\\\n", " ").splitlines()
        yield command, [line for line in shown if line.strip()]


def run_console(text: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run each command; every line that the page shows, with ... for anything, must be printed."""
    for command, shown in console(text):
        words = shlex.split(command, comments=True)
        if words[0] in ELSEWHERE:
            continue
        assert words[0] == "takens", f"{place}: {command}"
        capsys.readouterr()
        code = main(words[1:])
        said = capsys.readouterr()
        printed = [" ".join(line.split()) for line in (said.out + said.err).splitlines()]
        assert code == (2 if any(line.startswith("Error:") for line in shown) else 0), f"{place}: {command}\n{said.err}"
        for line in shown:
            pattern = re.sub(r"([\[\]?*])", r"[\1]", " ".join(line.split())).replace("...", "*")
            assert fnmatch.filter(printed, pattern), f"{place}: {line!r} is not among\n" + "\n".join(printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for language, text, line in blocks(page):
        place = f"{page.name}:{line}"
        if language == "python":
            exec(compile("\n" * (line - 1) + text, str(page), "exec"), names)
        elif language == "console":
            run_console(text, place, capsys)


def test_the_console_runner_notices_a_wrong_line(capsys: pytest.CaptureFixture[str]) -> None:
    run_console("$ takens --version\ntakens ...", "here", capsys)
    with pytest.raises(AssertionError, match="is not among"):
        run_console("$ takens --version\ntakens 99", "here", capsys)
    with pytest.raises(AssertionError):
        run_console("$ rm -rf .", "here", capsys)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "examples" / "README.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http:", "https:", "#")):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_examples_run(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(script), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 3


def test_every_command_is_documented() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name, command in commands.commands.items():
        assert f"takens {name}" in pages, f"no page shows takens {name}"
        assert "Example" in (command.help or ""), f"the help of {name} has no example"


def test_the_catalogue_is_as_large_as_the_pages_say() -> None:
    kinds = Counter(system(name).kind for name in names())
    words = {"flow": "flows", "map": "maps", "diffusion": "diffusions", "delayed": "delay equations", "field": "fields",
             "jump": "jump processes"}  # fmt: skip
    assert set(kinds) == set(words)
    page = " ".join((ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8").split("```")[0].split())
    for kind, count in kinds.items():
        assert f"{count} {words[kind]}" in page
    assert f"{len(names())} in all" in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) (?:known )?systems", readme) == [str(len(names()))] * 2
