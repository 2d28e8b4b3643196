"""The shape of the code base: imports go down, files stay short, nothing dangerous is called, starting is quick."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "takens"
SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]

LAYERS = (
    {"errors", "version", "random", "progress"},
    {"clock", "estimate", "wording"},
    {"durations", "neighbours", "store", "tasks", "series"},
    {"executor", "forecast", "io", "transform"},
    {"measures", "models", "systems"},
    {"scores", "backtest", "dynamics", "verdicts"},
    {"candidate", "choice", "findings", "origins", "figures", "inspection", "stacking", "study", "trials", "checks"},
    {"report", "bank", "benchmark"},
    {"cli"},
)
"""Each module imports, when it is loaded, only from its own layer and from those above it in this list."""

LAZY = {("series", "io"), ("series", "transform"), ("forecast", "io"), ("forecast", "figures"), ("study", "report"),
        ("models", "scores")}  # fmt: skip
"""Conveniences such as `series.save(path)` that reach up, from inside a function."""

APART = {("measures", "models"), ("models", "measures"), ("scores", "models"), ("figures", "models")}
"""Siblings that must not know one another, not even from inside a function."""


def module_of(path: Path) -> str:
    """The part of the package that a file belongs to: `io` for io/reading.py, `series` for series.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level(module: str) -> int:
    found = [i for i, layer in enumerate(LAYERS) if module in layer]
    assert found, f"{module} has no layer; put it into LAYERS of this test"
    return found[0]


def imported(path: Path) -> Iterator[tuple[str, bool, int]]:
    """(module of this package, whether inside a function, line) for each import of a file, type checking left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = ["takens", *path.relative_to(PACKAGE).with_suffix("").parts]
    package = parts[:-1]

    def visit(node: ast.AST, lazy: bool) -> Iterator[tuple[str, bool, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                names = [alias.name.split(".") for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                base = base + (child.module.split(".") if child.module else [])
                names = [[*base, alias.name] for alias in child.names] if len(base) == 1 else [base]
            else:
                names = []
                yield from visit(child, lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from ((name[1], lazy, child.lineno) for name in names if name[0] == "takens" and len(name) > 1)

    yield from visit(tree, False)


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parent != PACKAGE or p.name[0] != "_"], ids=module_of)
def test_imports_go_down(path: Path) -> None:
    mine = module_of(path)
    for theirs, lazy, line in imported(path):
        if theirs == "__version__":
            continue
        place = f"{path.relative_to(ROOT)}:{line} imports {theirs}"
        assert (mine, theirs) not in APART, place
        assert level(theirs) <= level(mine) or (lazy and (mine, theirs) in LAZY), f"{place}, which is above it"


def test_the_import_test_sees_an_import_that_goes_up(tmp_path: Path) -> None:
    assert level("io") > level("series")
    found = list(imported(PACKAGE / "series.py"))
    assert ("io", True) in {(name, lazy) for name, lazy, _ in found}
    assert ("io", False) not in {(name, lazy) for name, lazy, _ in found}
    assert ("errors", False) in {(name, lazy) for name, lazy, _ in found}


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, f"{path.name} has {text.count(chr(10))} lines"
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert not long, f"{path.name}: {', '.join(long)}"


FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_MODULES = {
    "pickle", "marshal", "shelve", "dill", "joblib", "socket", "requests", "urllib", "http", "ftplib", "subprocess",
    "ctypes",
}  # fmt: skip
CALLS_MACHINE_CODE = {"compile.py", "machine.py"}
"""The two files that hand compiled equations to the processor and so may import ctypes."""
ALLOWED_RANDOM = {"Generator", "SeedSequence", "get_state"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_dangerous_is_called(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        place = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_NAMES, place
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level:
                continue
            forbidden = FORBIDDEN_MODULES - ({"ctypes"} if path.name in CALLS_MACHINE_CODE else set())
            assert not {name.split(".")[0] for name in names} & forbidden, place
            assert not any("pyplot" in name for name in names), f"{place}: pyplot keeps global state"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant), place
            assert node.value.value is False, place
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            allowed = ALLOWED_RANDOM | ({"default_rng"} if path.name == "random.py" else set())
            assert node.attr in allowed, f"{place}: randomness comes from takens.random.generator"


def test_names_say_what_is_inside() -> None:
    for path in SOURCES:
        assert not {"utils", "util", "helpers", "helper", "manager", "config", "common", "misc"} & set(
            path.relative_to(PACKAGE).with_suffix("").parts
        ), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body and path.name != "version.py":
        assert ast.get_docstring(tree), f"{path} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases):
            continue
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


def test_public_names_exist() -> None:
    import takens

    for name in takens.__all__:
        assert getattr(takens, name) is not None
    with pytest.raises(AttributeError, match="no_such_thing"):
        takens.no_such_thing  # noqa: B018


@pytest.mark.parametrize("name", ["study", "backtest"])
def test_a_function_is_not_replaced_by_the_module_of_its_name(name: str) -> None:
    import importlib

    import takens

    module = importlib.import_module(f"takens.{name}")
    assert callable(getattr(takens, name))
    assert getattr(takens, name) is getattr(module, name)


HEAVY = ("matplotlib", "pandas", "scipy", "jax", "sympy", "xarray", "pyarrow", "numba", "jinja2", "h5netcdf", "sklearn")


@pytest.mark.parametrize(
    "code", ["import takens", "import takens.cli; assert takens.cli.main(['--help']) == 0"], ids=["import", "help"]
)
def test_starting_is_quick_and_imports_nothing_heavy(code: str) -> None:
    show = f"\nimport sys; print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    seconds = []
    for _ in range(4):
        # Processor time, so that a busy machine does not fail the test.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code + show], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stderr.strip() == "[]"
    assert min(seconds) < 0.3, f"best of four: {min(seconds):.2f} s"
