"""Saved laws: a folder with `law.json` and `arrays.safetensors`, a closed list of classes, no code in the files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..errors import LawError, OutputError
from ..random import generator
from . import (
    analogue,
    autoregression,
    baselines,
    esn,
    fourier,
    gaussian_process,
    hippo_predictor,
    liquid,
    local_maps,
    local_reservoirs,
    mixture,
    neural_ode,
    nvar,
    piecewise,
    polynomial_flow,
    radial,
    random_features,
    reservoir_memory,
    seasonal,
    wrappers,
)
from .base import Law
from .cells import ClosedFormCell, LiquidCell
from .cyclenet import CycleLaw
from .perceptron import Perceptron
from .recalibration import Recalibration
from .recurrent.backbones import LRU, LSSL, S4D, Selective
from .recurrent.law import RecurrentLaw
from .recurrent.network import RecurrentNetwork
from .ridge import Readout
from .state_space.components import Components
from .state_space.factors import FactorLaw
from .state_space.gaussian import LinearGaussian
from .state_space.structural import StructuralLaw
from .trajectories import Signature

FORMAT = "takens-law"
VERSION = 2
DOCUMENT, ARRAYS = "law.json", "arrays.safetensors"
LARGEST = 16_000_000
"""Bytes of `law.json` beyond which it is not a law that takens wrote."""

LAWS: tuple[type[Law], ...] = (
    baselines.WalkLaw, baselines.ClimatologyLaw, seasonal.SeasonalLaw, autoregression.LinearLaw, fourier.FourierLaw,
    analogue.ParrotLaw, analogue.NeighbourLaw, nvar.PolynomialLaw, esn.EchoLaw, wrappers.StandardisedLaw,
    wrappers.EnsembleLaw, mixture.MixtureLaw, wrappers.ConformalLaw, hippo_predictor.HippoLaw,
    random_features.FourierFeatureLaw,
    radial.RadialLaw,
    gaussian_process.GaussianProcessLaw,
    RecurrentLaw,
    neural_ode.NeuralFlowLaw,
    liquid.LiquidLaw,
    StructuralLaw, FactorLaw, CycleLaw,
    piecewise.PiecewiseLinearLaw,
    polynomial_flow.FlowLaw,
    reservoir_memory.MemoryLaw,
    local_reservoirs.LocalLaw,
    local_maps.SimplexLaw, local_maps.LocalLinearLaw,
)  # fmt: skip
PARTS: tuple[type, ...] = (
    Components,
    LinearGaussian,
    Signature,
    Clock,
    Readout,
    Recalibration,
    LRU,
    LSSL,
    S4D,
    Selective,
    RecurrentNetwork,
    Perceptron,
    ClosedFormCell,
    LiquidCell,
    piecewise.AlmostLinearMap,
    piecewise.ShallowMap,
)
REGISTRY: Mapping[str, type] = {kind.__name__: kind for kind in (*LAWS, *PARTS)}
"""Every class that a saved law may hold; nothing else is ever constructed."""


def save_law(law: Law, path: str | PathLike[str]) -> None:
    """Write `law` to the folder `path`: plain values as JSON, arrays as safetensors.

    The folder appears whole or not at all; a law that is there already is replaced. Raises `OutputError` where `path`
    is something else than a saved law or cannot be written, `LawError` for a law that is not one of takens.
    """
    from safetensors.numpy import save

    target = Path(path)
    if target.exists() and not (target.is_dir() and (target / DOCUMENT).is_file()):
        raise OutputError("exists and is not a saved law", place=str(target), remedy="Choose another name.")
    arrays: dict[str, NDArray[Any]] = {}
    document = {"format": FORMAT, "version": VERSION, "law": _pack(law, "law", arrays)}
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        (temporary / ARRAYS).write_bytes(save(arrays))
        (temporary / DOCUMENT).write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
        temporary.chmod(0o777 & ~_umask())
        _swap(temporary, target)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", place=str(target)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def load_law(path: str | PathLike[str]) -> Law:
    """The law saved in the folder `path`; its forecasts are bit for bit those of the law that was saved.

    Raises `LawError`, with what to do, where the folder is missing, damaged, from a newer version or not a law.
    Cost: reading the arrays. Nothing in the files is executed.
    """
    source = Path(path)
    document = _document(source)
    arrays = _arrays(source)
    used: set[str] = set()
    law = _unpack(document["law"], "law", arrays, used, source)
    if not isinstance(law, Law):
        raise _damaged(source, f"holds a {type(law).__name__}, not a law")
    if extra := sorted(set(arrays) - used):
        raise _damaged(source, f"has arrays that belong to nothing: {', '.join(extra[:3])}")
    try:
        _check(law, source)
    except (IndexError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise _damaged(source, f"cannot make a forecast ({type(error).__name__}: {error})") from error
    return law


def _check(law: Law, source: Path) -> None:
    """One step of the law: arrays whose shapes or indices do not fit one another show here, not in a forecast."""
    channels = len(law.signature.channels)
    if law.history.ndim != 2 or law.history.shape[1] != channels or len(law.history) < law.memory:
        raise _damaged(source, f"has a history of shape {law.history.shape} for {channels} channels")
    if not law.gaps and not np.isfinite(law.history).all():
        raise _damaged(source, "has a history with missing values, which it cannot use")
    for members, rng in ((1, None), (2, generator(0, "store"))):
        shape = law.sample(law.history, 1, members, rng).shape
        if shape != (members, 1, channels):
            raise _damaged(source, f"forecasts shape {shape} for {channels} channels")


def _pack(value: Any, place: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """`value` as JSON; arrays go to `arrays` under their place."""
    if type(value) in REGISTRY.values():
        packed = {f.name: _pack(getattr(value, f.name), f"{place}.{f.name}", arrays) for f in fields(value)}
        return {"class": type(value).__name__, "fields": packed}
    if isinstance(value, np.ndarray):
        arrays[place] = np.ascontiguousarray(value)
        return {"array": place}
    if isinstance(value, np.datetime64):
        return {"datetime64": str(value.astype("datetime64[us]"))}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, f"{place}.{i}", arrays) for i, item in enumerate(value)]}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    raise LawError(
        f"cannot save {type(value).__name__!r} at {place}",
        remedy="Only laws of takens can be saved; keep the data and settings of others, and fit anew.",
    )


def _unpack(value: Any, place: str, arrays: Mapping[str, NDArray[Any]], used: set[str], source: Path) -> Any:
    """What `_pack` packed; raises `LawError` for anything that it would not have written."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if not isinstance(value, dict):
        raise _damaged(source, f"has {type(value).__name__} at {place}")
    match value:
        case {"array": str(key), **rest} if not rest:
            if key != place or key not in arrays:
                raise _damaged(source, f"lacks the array {place}")
            used.add(key)
            return arrays[key]
        case {"float": str(text), **rest} if not rest:
            return _convert(float.fromhex, text, place, source)
        case {"datetime64": str(text), **rest} if not rest:
            return _convert(lambda t: np.datetime64(t, "us"), text, place, source)
        case {"tuple": list(items), **rest} if not rest:
            return tuple(_unpack(item, f"{place}.{i}", arrays, used, source) for i, item in enumerate(items))
        case {"class": str(name), "fields": dict(inner), **rest} if not rest:
            return _construct(name, inner, place, arrays, used, source)
    raise _damaged(source, f"has something unknown at {place}")


def _construct(
    name: str, inner: dict[str, Any], place: str, arrays: Mapping[str, NDArray[Any]], used: set[str], source: Path
) -> Any:
    if name not in REGISTRY:
        raise LawError(
            f"holds a {name!r}, which this version of takens does not know", place=str(source),
            remedy="Load it with the version that saved it, or fit anew.",
        )  # fmt: skip
    kind = REGISTRY[name]
    expected = {f.name for f in fields(kind)}
    if set(inner) != expected:
        wrong = sorted(expected ^ set(inner))
        raise _damaged(source, f"has missing or unknown fields at {place}: {', '.join(map(str, wrong[:3]))}")
    values = {key: _unpack(item, f"{place}.{key}", arrays, used, source) for key, item in inner.items()}
    hints = get_type_hints(kind)
    for key, item in values.items():
        # Plain fields and arrays must not change places, whatever the file says.
        # (NDArray[...] is an ndarray[...] up to NumPy 2.4 and a type of its own name from 2.5 on.)
        if isinstance(item, np.ndarray) != (get_origin(hints[key]) in (np.ndarray, NDArray)):
            raise _damaged(source, f"has {type(item).__name__} at {place}.{key}")
        if hints[key] in (int, float, str) and type(item) is not hints[key]:
            raise _damaged(source, f"has {type(item).__name__} at {place}.{key}")
    return kind(**values)


def _document(source: Path) -> dict[str, Any]:
    file = source / DOCUMENT
    if not file.is_file():
        raise LawError("is not a saved law", place=str(source), remedy="Give the folder that `law.save` wrote.")
    try:
        if file.stat().st_size > LARGEST:
            raise _damaged(source, f"has a {DOCUMENT} that is too large")
        document = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(source, f"has a {DOCUMENT} that is not JSON ({error})") from error
    except OSError as error:
        raise LawError(f"cannot be read ({error.strerror})", place=str(source)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise LawError("is not a saved law", place=str(source), remedy="Give the folder that `law.save` wrote.")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise LawError(
            f"was saved in format {version}, this takens reads up to {VERSION}", place=str(source),
            remedy="Update takens (pip install --upgrade takens), or fit anew.",
        )  # fmt: skip
    if version == 1:
        raise LawError(
            "was saved before laws knew of inputs", place=str(source), remedy="Fit anew with this version of takens."
        )
    if version != VERSION or "law" not in document:
        raise _damaged(source, f"has no valid version or law in {DOCUMENT}")
    return document


def _arrays(source: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found = load((source / ARRAYS).read_bytes())
    except FileNotFoundError as error:
        raise _damaged(source, f"lacks {ARRAYS}") from error
    except OSError as error:
        raise LawError(f"cannot be read ({error.strerror})", place=str(source)) from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(source, f"has a damaged {ARRAYS} ({error})") from error
    for key, array in found.items():
        holes = array.dtype == np.float64 and not np.isfinite(array).all()
        if holes and key.endswith(".history") and not np.isinf(array).any():
            holes = False  # laws that live with gaps have them in their history; `_check` knows which do
        if array.dtype not in (np.float64, np.int64) or holes:
            raise _damaged(source, f"has an array {key} that is not of finite float64 or int64")
        array.setflags(write=False)
    return found


def _convert(convert: Any, text: str, place: str, source: Path) -> Any:
    try:
        return convert(text)
    except (ValueError, OverflowError) as error:
        raise _damaged(source, f"has {text!r} at {place}") from error


def _damaged(source: Path, cause: str) -> LawError:
    return LawError(f"the saved law {cause}", place=str(source), remedy="The files are damaged: copy or fit them anew.")


def _swap(temporary: Path, target: Path) -> None:
    """Put the finished folder in its place; an older law there is moved aside first and then removed."""
    if not target.exists():
        os.replace(temporary, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    try:
        os.replace(target, old / "law")
        try:
            os.replace(temporary, target)
        except OSError:
            os.replace(old / "law", target)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
