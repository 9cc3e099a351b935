"""A local stand-in for the provider Kie.ai: three loopback sites that behave like the real ones and break on demand."""

from sandbox.kie.options import KieOptions
from sandbox.kie.server import KieSandbox

__all__ = ["KieOptions", "KieSandbox"]
