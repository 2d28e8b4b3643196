"""The evaluation as Markdown tables, for the method page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..verdicts.classes import CLASSES


def markdown(found: Mapping[str, Any]) -> str:
    """All tables of an evaluation (see `takens.bank.evaluation.evaluate`), one after another."""
    parts = [
        f"{found['series']:,} series of {found['systems']:,} systems, each judged by a calibration that was fitted "
        "to other systems (fivefold; near relatives are left out together). Shares count systems equally within a "
        "class; intervals are 90 %, with systems as units.",
        _bars(found), _coverage(found), _sets(found), _chaos(found), _rules(found), _confusions(found),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join([' --- ', *[' ---: '] * (len(head) - 1)])}|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None or share["rows"] == 0:
        return "-"
    return f"{100 * share['value']:.1f} ({100 * share['low']:.0f}-{100 * share['high']:.0f})"


def _bars(found: Mapping[str, Any]) -> str:
    rows = [
        [bar["bar"], f"{bar['value']:.3f}", f"{bar['low']:g} to {bar['high']:g}", "yes" if bar["kept"] else "**no**"]
        for bar in found["bars"]
    ]
    return "### What was promised\n\n" + _table(("", "found", "promised", "kept"), rows)


def _coverage(found: Mapping[str, Any]) -> str:
    levels = list(found["coverage"])
    rows = [["all", *[_share(found["coverage"][level]["all"]) for level in levels], _accuracy(found, "all", "")]]
    for kind in ("length", "noise", "class"):
        for name in found["coverage"][levels[0]][kind]:
            shares = [_share(found["coverage"][level][kind][name]) for level in levels]
            rows.append([f"{kind} {name}", *shares, _accuracy(found, kind, name)])
    head = [
        "per cent",
        *[f"covered at {float(level):.0%}".replace("%", " %") for level in levels],
        "most probable right",
    ]
    return "### How often the set holds the truth\n\n" + _table(head, rows)


def _accuracy(found: Mapping[str, Any], kind: str, name: str) -> str:
    if kind == "all":
        return _share(found["accuracy"]["six"])
    return _share(found["accuracy"][kind][name]) if kind in found["accuracy"] else ""


def _sets(found: Mapping[str, Any]) -> str:
    size = found["size"]
    rows = [["all", f"{size['all']:.2f}"], ["2,000 values or more, noise up to 5 %", f"{size['long_and_quiet']:.2f}"]]
    rows += [[f"{kind} {name}", f"{value:.2f}"] for kind in ("length", "noise") for name, value in size[kind].items()]
    return "### How many classes a set holds at 90 %\n\n" + _table(("", "mean"), rows)


def _chaos(found: Mapping[str, Any]) -> str:
    chaos = found["chaos"]
    rows = [["said of regular motion and noise", _share(chaos["false"])]]
    rows += [[f"said of {name}", _share(share)] for name, share in chaos["false_by_class"].items()]
    rows += [["said of chaotic flows and maps, 2,000 values, 100 cycles, noise up to 5 %", _share(chaos["power"])],
             ["the same with delay systems and noise in the motion", _share(chaos["power_all"])]]  # fmt: skip
    for kind in ("length", "noise"):
        rows += [[f"said of chaos, {kind} {name}", _share(share)] for name, share in chaos["power_by"][kind].items()]
    return '### How often "chaotic" is said alone\n\n' + _table(("per cent", ""), rows)


def _rules(found: Mapping[str, Any]) -> str:
    six, groups = found["accuracy"]["six"], found["accuracy"]["groups"]
    rows = [["verdict", _share(six), _share(groups), "", "", _share(found["chaos"]["false"])]]
    for name, rule in found["rules"].items():
        rows.append([name, *[_share(rule[key]) for key in ("six", "groups", "own_ground", "verdict_on_own_ground",
                                                           "false_chaos")]])  # fmt: skip
    head = ("right, per cent", "six classes", "three groups", "its own words", "verdict there", "false chaos")
    return (
        "### Beside the simple rules\n\nCuts of the rules are the best ones for the same other systems. Three groups: "
        "regular, chaotic, stochastic; what is not stationary is left out. Its own words: series whose group the rule "
        "has a word for.\n\n" + _table(head, rows)
    )


def _confusions(found: Mapping[str, Any]) -> str:
    """Confusion matrices of the verdict and the rules, for all rows and each band."""
    parts = ["### What is taken for what (per cent of the truth in the row)"]
    for kind, group in found["confusion"].items():
        for name in group:
            parts.append(f"**{'All' if kind == 'all' else f'{kind.capitalize()} {name}'}, verdict**")
            parts.append(_matrix(CLASSES, group[name]))
            for rule_name, rule in found["rules"].items():
                parts += [f"{rule_name}:", _matrix(rule["says"], rule["confusion"][kind][name])]
    return "\n\n".join(parts)


def _matrix(columns: Sequence[str], matrix: Sequence[Sequence[float]]) -> str:
    rows = [[truth, *[f"{100 * value:.0f}" for value in row]] for truth, row in zip(CLASSES, matrix, strict=True)]
    return _table(("truth", *columns), rows)
