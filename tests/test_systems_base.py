"""Systems: numbers by hand, changed parameters, definitions and what is wrong with them, the catalogue by name."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import takens
from takens.errors import EquationError, SettingError, TakensError
from takens.systems import Equations, Flow, Known, Map, System, catalogue_index

LORENZ: dict[str, Any] = {
    "name": "Lorenz63",
    "equations": {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
    "parameters": {"sigma": 10, "rho": 28.0, "beta": 8 / 3},
    "initial": {"x": 1.0, "y": 1.0, "z": 20.0},
    "period": 0.75,
    "dt": 0.0075,
    "tags": ["chaotic", "dissipative"],
    "reference": "Lorenz, J. Atmos. Sci. 20, 130 (1963)",
    "known": {"largest_lyapunov_exponent": {"value": 0.9056, "source": "Sprott (2003)"}},
}
HENON: dict[str, Any] = {
    "name": "Henon",
    "kind": "map",
    "equations": {"x": "1 - a*x**2 + y", "y": "b*x"},
    "parameters": {"a": 1.4, "b": 0.3},
    "initial": [0.1, 0.1],
}


def changed(table: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {**table, **keys}


def test_lorenz_by_hand() -> None:
    lorenz = takens.system(LORENZ)
    assert isinstance(lorenz, Flow)
    assert (lorenz.states, lorenz.dimension, lorenz.autonomous) == (("x", "y", "z"), 3, True)
    state = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(lorenz.rhs(0.0, state), [10.0, 23.0, -6.0], rtol=1e-15)
    np.testing.assert_allclose(lorenz.jacobian(0.0, state), [[-10, 10, 0], [25, -1, -1], [2, 1, -8 / 3]], rtol=1e-15)
    assert float(lorenz.divergence(0.0, state)) == pytest.approx(-(10 + 1 + 8 / 3), rel=1e-15)
    assert lorenz.known["largest_lyapunov_exponent"] == Known(0.9056, "Sprott (2003)")


def test_henon_by_hand() -> None:
    henon = takens.system(HENON)
    assert isinstance(henon, Map)
    np.testing.assert_allclose(henon.rhs(0, [0.5, -1.0]), [1 - 1.4 * 0.25 - 1, 0.15], rtol=1e-15)
    np.testing.assert_allclose(henon.jacobian(0, [0.5, -1.0]), [[-1.4, 1.0], [0.3, 0.0]], rtol=1e-15)
    assert float(henon.divergence(0, [0.5, -1.0])) == pytest.approx(math.log(0.3), rel=1e-14)


def test_a_singular_map_has_divergence_minus_infinity() -> None:
    flat = takens.system(changed(HENON, equations={"x": "a*x", "y": "b*x"}))
    assert float(flat.divergence(0, [1.0, 1.0])) == -math.inf


def test_states_times_and_parameters_broadcast() -> None:
    lorenz = takens.system(LORENZ)
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    found = lorenz.rhs(0.0, x, rho=np.linspace(20, 30, 5))
    assert found.shape == (4, 5, 3)
    for i, rho in enumerate(np.linspace(20, 30, 5)):
        np.testing.assert_array_equal(found[:, i], lorenz.with_parameters(rho=rho).rhs(0.0, x[:, i]))
    assert lorenz.jacobian(np.zeros(5), x[0, 0]).shape == (5, 3, 3)
    assert lorenz.divergence(0.0, x).shape == (4, 5)
    assert x.flags.writeable


def test_a_forced_flow_depends_on_time() -> None:
    forced = takens.system(
        {
            "equations": {"x": "v", "v": "-delta*v + x - x**3 + force*cos(omega*t)"},
            "parameters": {"delta": 0.3, "force": 0.5, "omega": 1.2},
            "initial": {"v": 0.0, "x": 1.0},
        }
    )
    assert not forced.autonomous
    np.testing.assert_allclose(forced.initial, [1.0, 0.0])
    t = 0.7
    expected = [0.2, -0.3 * 0.2 + 0.5 - 0.125 + 0.5 * math.cos(1.2 * t)]
    np.testing.assert_allclose(forced.rhs(t, [0.5, 0.2]), expected, rtol=1e-15)
    np.testing.assert_allclose(forced.rhs(np.array([t, 0.0]), [0.5, 0.2])[0], expected, rtol=1e-15)


def test_the_step_of_a_map_is_n_and_a_parameter_of_that_name_hides_it() -> None:
    table = {"kind": "map", "equations": {"x": "x + n"}, "initial": [0.0]}
    assert float(takens.system(table).rhs(7, [1.0])[0]) == 8.0
    hidden = takens.system(changed(table, parameters={"n": 2.0}))
    assert hidden.autonomous
    assert float(hidden.rhs(7, [1.0])[0]) == 3.0


def test_conditionals_and_auxiliary_definitions() -> None:
    table = {
        "equations": {"x": "s*y", "y": "s if x > 0 else -x"},
        "auxiliary": {"r": "x**2 + y**2", "s": "sqrt(r)*k"},
        "parameters": {"k": 2.0},
        "initial": [1.0, 1.0],
    }
    found = takens.system(table)
    np.testing.assert_allclose(found.rhs(0, [[3.0, 4.0], [-3.0, 4.0]]), [[40.0, 10.0], [40.0, 3.0]], rtol=1e-15)
    # d(s)/dx = k x/sqrt(r) = 1.2, d(s)/dy = 1.6
    np.testing.assert_allclose(found.jacobian(0, [3.0, 4.0]), [[4.8, 16.4], [1.2, 1.6]], rtol=1e-14)
    np.testing.assert_allclose(found.jacobian(0, [-3.0, 4.0]), [[-4.8, 16.4], [-1.0, 0.0]], rtol=1e-14)
    assert float(found.divergence(0, [3.0, 4.0])) == pytest.approx(6.4)


def test_definitions_of_definitions_stay_small() -> None:
    auxiliary = {"a0": "x*x", **{f"a{i}": f"a{i - 1}*a{i - 1}/2" for i in range(1, 200)}}
    table = {"equations": {"x": "a199"}, "auxiliary": auxiliary, "initial": [0.1]}
    began = time.process_time()
    found = takens.system(table)
    assert float(found.jacobian(0, [0.1])[0, 0]) == 0.0
    assert time.process_time() - began < 1.0


def test_with_parameters_changes_one_and_drops_what_is_known_of_the_defaults() -> None:
    lorenz = takens.system(LORENZ)
    other = lorenz.with_parameters(rho=24)
    assert (other.parameters["rho"], lorenz.parameters["rho"]) == (24.0, 28.0)
    assert dict(other.known) == {}
    assert lorenz.with_parameters(rho=28).known == lorenz.known
    assert other.rule is lorenz.rule
    assert takens.system(LORENZ, rho=24).parameters["rho"] == 24.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.with_parameters(rhoo=1.0), "Did you mean rho"),
        (lambda s: s.rhs(0, [1, 2, 3], signa=1.0), "Did you mean sigma"),
        (lambda s: s.with_parameters(rho="big"), "Give a number"),
        (lambda s: s.with_parameters(rho=math.nan), "finite"),
        (lambda s: s.rhs(0, [1, 2]), "3 states: x, y, z"),
        (lambda s: s.jacobian(0, 1.0), "3 states: x, y, z"),
    ],
)
def test_wrong_arguments(call: Callable[[System], Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        call(takens.system(LORENZ))


def test_a_system_cannot_change_and_can_travel() -> None:
    lorenz = takens.system(LORENZ)
    with pytest.raises(AttributeError):
        lorenz.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        lorenz.parameters["rho"] = 1.0  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        lorenz.initial[0] = 1.0
    lorenz.jacobian(0, lorenz.initial)
    for other in (pickle.loads(pickle.dumps(lorenz)), copy.deepcopy(lorenz)):
        np.testing.assert_array_equal(other.rhs(0, [1.0, 2.0, 3.0]), lorenz.rhs(0, [1.0, 2.0, 3.0]))
        assert other.parameters == lorenz.parameters


def test_kinds_are_abstract_or_final() -> None:
    with pytest.raises(TypeError, match="abstract"):
        System("x", Equations.parse({"x": "0"}), {}, np.zeros(1))  # type: ignore[abstract]
    assert Flow.__final__  # type: ignore[attr-defined]
    assert Map.__final__  # type: ignore[attr-defined]


def test_equations_as_text_and_latex() -> None:
    assert takens.system(LORENZ).text() == "dx/dt = sigma*(y - x)\ndy/dt = x*(rho - z) - y\ndz/dt = x*y - beta*z"
    assert takens.system(HENON).text() == "x[n+1] = 1 - a*x**2 + y\ny[n+1] = b*x"
    shown = takens.system(LORENZ).latex().splitlines()
    assert shown[1] == r"\dot{x} &= \sigma \, \left(y - x\right) \\"
    assert takens.system(HENON).latex().splitlines()[1:3] == [
        r"x_{n+1} &= 1 - a \, x_{n}^{2} + y_{n} \\",
        r"y_{n+1} &= b \, x_{n}",
    ]
    aided = takens.system({"equations": {"x1": "u"}, "auxiliary": {"u": "-x1"}, "initial": [1]})
    assert aided.text() == "u = -x1\ndx1/dt = u"
    assert aided.latex().splitlines()[2] == r"\dot{x}_{1} &= u"


@pytest.mark.parametrize(
    ("table", "place", "words"),
    [
        (changed(LORENZ, kindd="flow"), "Lorenz63", "Did you mean kind"),
        (changed(LORENZ, kind="flw"), "kind", "flow, map"),
        (changed(LORENZ, kind=3), "kind", "not text"),
        (changed(LORENZ, initial={"x": 1, "y": 1}), "initial", "no value of 'z'"),
        (changed(LORENZ, initial={"x": 1, "y": 1, "z": 1, "w": 1}), "initial", "'w' is not a state"),
        (changed(LORENZ, initial=[1, 2]), "initial", "2 numbers for 3 states"),
        (changed(LORENZ, initial=[1, 2, math.inf]), "initial[2]", "finite"),
        (changed(LORENZ, initial="1 2 3"), "initial", "Write initial = "),
        ({k: v for k, v in LORENZ.items() if k != "initial"}, "initial", "no initial state"),
        ({k: v for k, v in LORENZ.items() if k != "equations"}, "equations", "no equations"),
        (changed(LORENZ, equations={}), "equations", "no equations"),
        (changed(LORENZ, equations="x = y"), "equations", "not a table"),
        (changed(LORENZ, equations={"x": ["y"]}), "equations.x", "not text"),
        (changed(LORENZ, equations={"x": "rho +"}), "equations.x", "ends where a value"),
        (changed(LORENZ, parameters={"sigma": 10, "rho": 28}), "equations.z", "unknown name 'beta'"),
        (changed(LORENZ, parameters={"sigma": "10"}), "parameters.sigma", "not a number"),
        (changed(LORENZ, parameters={"sigma": True}), "parameters.sigma", "not a number"),
        (changed(LORENZ, parameters={"sigma": math.nan}), "parameters.sigma", "finite"),
        (changed(LORENZ, parameters={"sigma": 10**400}), "parameters.sigma", "finite"),
        (changed(LORENZ, parameters={"x": 1.0}), "Lorenz63", "'x' is both a state and a parameter"),
        (changed(LORENZ, parameters={"sin": 1.0}), "Lorenz63", "name of a function"),
        (changed(LORENZ, parameters={"2x": 1.0}), "Lorenz63", "cannot name a parameter"),
        (changed(LORENZ, parameters={"if": 1.0}), "Lorenz63", "word of the grammar"),
        (changed(LORENZ, parameters={"a" * 32: 1.0}), "Lorenz63", "cannot name a parameter"),
        (changed(LORENZ, auxiliary={"u": "v", "v": "x"}), "auxiliary.u", "unknown name 'v'"),
        (changed(LORENZ, auxiliary={"x": "1"}), "Lorenz63", "both a state and an auxiliary definition"),
        (changed(LORENZ, dt=0), "dt", "positive"),
        (changed(LORENZ, period="long"), "period", "not a number"),
        (changed(LORENZ, tags="chaotic"), "tags", "not a list of words"),
        (changed(LORENZ, known={"d": 2.06}), "known.d", "source"),
        (changed(LORENZ, known={"d": {"value": 2.06, "source": " "}}), "known.d", "no source"),
        (changed(LORENZ, equations={**LORENZ["equations"], "x": "1/(x - 1)"}), "equations.x", "inf at the initial"),
        (changed(LORENZ, equations={**LORENZ["equations"], "x": "log(-x)"}), "equations.x", "nan at the initial"),
    ],
)
def test_wrong_definitions(table: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(TakensError) as caught:
        takens.system(table)
    assert isinstance(caught.value, SettingError | EquationError)
    assert place in caught.value.place
    assert words in str(caught.value)


def test_a_spectrum_is_known_as_several_numbers() -> None:
    known = {"lyapunov_spectrum": {"value": [0.9056, 0, -14.572], "source": "Sprott (2003)"}}
    assert takens.system(changed(LORENZ, known=known)).known["lyapunov_spectrum"].value == (0.9056, 0.0, -14.572)


MINE = """
equations.x = "sigma*(y - x)"   # a comment
equations.y = \"\"\"
    x*(rho - z)
    - y\"\"\"
equations.z = "x*y - 8/3*z"
parameters = { sigma = 10, rho = 28 }
initial = [1, 1, 20]
"""


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    for source in (path, str(path)):
        mine = takens.system(source, rho=30)
        assert (mine.name, mine.parameters["rho"]) == ("mine", 30.0)
        np.testing.assert_allclose(mine.rhs(0, [1, 2, 3]), [10, 25, -6])
    path.write_text("[[system]]" + MINE)
    assert takens.system(path).dimension == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"equations.x = sigma", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"", "no equations"),
        (b"[[system]]\n[[system]]\n", "2 systems where one is expected"),
        (b"[system]\nname = 'a'\n", "where one is expected"),
        (b"x = " + b"[" * 5000, "is not TOML"),
        (b'equations.x = "y"\ninitial=[1]', "unknown name 'y'"),
    ],
)
def test_a_damaged_file(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(TakensError, match=words) as caught:
        takens.system(path)
    assert "bad.toml" in caught.value.place


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        takens.system(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("source", [3, None, ["Lorenz63"]])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(SettingError, match="toml file or a dict"):
        takens.system(source)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of its own: two files, one with a broken neighbour that must not be parsed."""
    (tmp_path / "flows.toml").write_text(
        '# Flows\n[[system]]\nname = "Hénon-Heiles"\nequations.x = "-x"\ninitial = [1]\n\n'
        '[[system]]\nname = "Broken"\nequations.x = \n'
    )
    (tmp_path / "maps.toml").write_text(
        '[[system]]  # the first\nname = "Rössler 2"\nkind = "map"\nequations.x = "a*x"\ninitial = [1]\n'
        "[system.parameters]\na = 2\n"
    )
    monkeypatch.setattr(catalogue_index, "FOLDER", tmp_path)
    catalogue_index.entries.cache_clear()
    yield tmp_path
    catalogue_index.entries.cache_clear()


@pytest.mark.usefixtures("shelf")
def test_names_are_compared_without_case_accents_and_punctuation() -> None:
    assert takens.systems.names() == ("Hénon-Heiles", "Broken", "Rössler 2")
    for name in ("Hénon-Heiles", "henonheiles", "HENON HEILES", "he\u0301non_heiles"):
        assert takens.system(name).name == "Hénon-Heiles"
    assert takens.system("rossler2", a=3).parameters["a"] == 3.0
    with pytest.raises(SettingError, match="Did you mean Hénon-Heiles") as caught:
        takens.system("henonheile")
    assert "mine.toml" not in str(caught.value)
    with pytest.raises(SettingError, match=r"flows\.toml: Broken.*is not TOML"):
        takens.system("broken")
    with pytest.raises(SettingError, match="no system"):
        takens.system("")


def test_a_name_twice_in_the_catalogue_is_an_error(shelf: Path) -> None:
    (shelf / "more.toml").write_text('[[system]]\nname = "ROSSLER-2"\n')
    with pytest.raises(SettingError, match="defined twice"):
        takens.systems.names()


def test_a_system_by_name_is_quick() -> None:
    names = takens.systems.names()
    if not names:
        pytest.skip("the catalogue is empty")
    catalogue_index.entries.cache_clear()
    began = time.process_time()
    takens.system(names[-1])
    assert time.process_time() - began < 0.03


def test_a_system_needs_nothing_heavy() -> None:
    code = (
        "import sys, takens; takens.system({'equations': {'x': '-x'}, 'initial': [1]}).jacobian(0, [1.0]);"
        "print([m for m in ('scipy', 'pandas', 'sympy', 'matplotlib', 'llvmlite', 'xarray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
