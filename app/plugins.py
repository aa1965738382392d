"""Loads what registers itself through app.api: the formats that ship, and the plugins that ship."""

from __future__ import annotations

import importlib
import pkgutil

import plugins
from app import api
from app.formats.builtin import BUILT_IN
from app.formats.pack import SnapshotPack


def load_plugins() -> dict[str, str]:
    """Register all formats. Returns the plugins that failed, by name, with a sentence each; the rest works."""
    for built_in in BUILT_IN:
        api.register_format(built_in)
    api.register_exporter(SnapshotPack())
    failed = {}
    for found in pkgutil.iter_modules(plugins.__path__):
        try:
            importlib.import_module(f"plugins.{found.name}").register()
        except (Exception, SystemExit) as error:  # a plugin may fail in any way; the app goes on without it
            failed[found.name] = f"The plugin {found.name} could not be loaded ({error}); the rest works."
    return failed
