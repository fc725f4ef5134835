"""Kernels: functions that numba compiles once for a machine, and that later processes load in a millisecond each.

Before numba loads a function from its cache it imports all that it can compile (120 modules), compiles its own runtime,
and reads the function a second time as bitcode, in case another function is compiled that calls it. That took 0.15 s of
every process. Compiled code needs none of this: its outer symbols are those of Python, the C library and numba's
runtime, which is a C extension. So `kernel` loads the machine code alone, and leaves the rest to numba where something
is compiled after all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numba
from llvmlite import binding
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult
from numba.core.runtime import _nrt_python as runtime  # pyright: ignore[reportAttributeAccessIssue]

OF_COMPILING = (
    b"_numba_hashsecret",
    b"numba_parallel_for",
)  # symbols of modules that numba imports only to compile


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """A decorator: `numba.njit(cache=True, **options)`, except that cached code is loaded as described above."""
    if function is None:
        return lambda function: kernel(function, **options)
    dispatcher: Any = numba.njit(**options)(function)
    if dispatcher is not function:  # which it is under NUMBA_DISABLE_JIT
        dispatcher._cache = _KernelCache(function)
        dispatcher.get_call_template = partial(_called, dispatcher.get_call_template)
    return dispatcher


def _called(template: Callable[..., Any], args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
    """How a kernel is called from another: numba would compile it once more for each constant that it is given."""
    return template(tuple(map(types.unliteral, args)), {k: types.unliteral(kind) for k, kind in kws.items()})


class _Library(JITCodeLibrary):
    """Machine code from the cache; its bitcode is read when a function that calls it is compiled."""

    _bitcode: bytes
    _entry: str  # the symbol that Python calls

    @classmethod
    def load(cls, codegen: Any, state: tuple[str, str, Any], entry: str) -> Any:
        """The library of a cached function, from what numba wrote of it."""
        name, kind, code = state
        if kind != "object":
            return codegen.unserialize_library(state)
        machine_code, bitcode = code
        if any(symbol in machine_code for symbol in OF_COMPILING):
            raise LookupError("the code needs more than numba's runtime")
        library = cls(codegen, name)
        library._bitcode = bitcode
        library._entry = entry
        library.enable_object_caching()
        library._set_compiled_object(machine_code)
        library._finalize_final_module()
        return library

    def get_pointer_to_function(self, name: str) -> int:
        """The address of a symbol; all but the entry are checked, since LLVM ends the process if there is none."""
        if name == self._entry:
            return self._codegen._engine.get_function_address(name)
        self._get_module_for_linking()
        return super().get_pointer_to_function(name)

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = binding.parse_bitcode(self._bitcode)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return self._shared_module


class _Context:
    """A target context that makes `_Library` of cached code and is numba's own in everything else."""

    def __init__(self, context: Any, entry: str) -> None:
        self._context, self._entry = context, entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def codegen(self) -> _Context:
        return self

    def unserialize_library(self, state: tuple[str, str, Any]) -> Any:
        return _Library.load(self._context.codegen(), state, self._entry)


class _MachineCode(CompileResultCacheImpl):
    def rebuild(self, target_context: Any, payload: tuple[Any, ...]) -> Any:
        entry = payload[1].llvm_cpython_wrapper_name
        found: Any = CompileResult._rebuild(_Context(target_context, entry), *payload)
        return found._replace(target_context=target_context)


class _KernelCache(FunctionCache):
    """The files of numba's cache, read without what only compiling needs; as numba reads them if that fails."""

    _impl_class = _MachineCode

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            _link_runtime()
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception:
            self._impl = CompileResultCacheImpl(self._py_func)
            return super().load_overload(sig, target_context)


@cache
def _link_runtime() -> None:
    """Tell LLVM where the functions of numba's runtime are, as numba does before it compiles additions to them."""
    for name, address in runtime.c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
