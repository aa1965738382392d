"""Plugins that ship; each imports app.api only."""
