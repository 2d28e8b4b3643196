"""From LLVM assembly to functions of this process: optimise, compile, and hold the code while it is used."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from functools import cache
from typing import Any

import llvmlite.binding as llvm

LIBRARY = (
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp",
    "expm1", "log", "log1p", "cbrt", "erf", "pow", "fmod", "log2", "exp2", "floor", "ceil", "sqrt", "fma",
)  # fmt: skip
"""Functions of the C mathematics library that compiled code may call."""
_MEMORY = ("malloc", "free")

POINTER, WHOLE, REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
"""The types of arguments and results of compiled functions."""

_ATTRIBUTES = "attributes #0 = { nounwind willreturn memory(none) }\n"


@cache
def _prepare() -> None:
    """Once a process: the native target, and where the C library's functions are.

    The addresses are given to LLVM one by one because its own search finds them on some platforms only.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    library = ctypes.CDLL("ucrtbase") if os.name == "nt" else ctypes.CDLL(None)
    if not hasattr(library, "erf"):  # a Python that does not export its mathematics library
        library = ctypes.CDLL("libm.so.6")
    for name in (*LIBRARY, *_MEMORY):
        address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        assert address is not None
        llvm.add_symbol(name, address)


class Machine:
    """Compiled functions; the code lives as long as this object."""

    def __init__(self, functions: Iterable[str], used: Iterable[str], *, effort: int = 2) -> None:
        _prepare()
        text = "\n".join([*sorted(set(used)), *functions, _ATTRIBUTES])
        module = llvm.parse_assembly(text)
        module.verify()
        # The compiler takes the target machine over, so that every module needs its own.
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=effort, jit=True
        )
        options = llvm.create_pipeline_tuning_options(speed_level=effort)
        options.loop_vectorization = True
        options.slp_vectorization = False
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        self._engine = llvm.create_mcjit_compiler(module, target)
        self._engine.finalize_object()

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        """The compiled function as a callable that releases the interpreter while it runs."""
        return ctypes.CFUNCTYPE(result, *arguments)(self._engine.get_function_address(name))
