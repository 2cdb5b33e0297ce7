"""The built-in functions, by name in upper case."""

from . import arrays, dates, mathematics, strings, types
from .registry import BUILT_IN, BuiltIn

__all__ = ["BUILT_IN", "BuiltIn", "arrays", "dates", "mathematics", "strings", "types"]
