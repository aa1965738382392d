"""Labels of a file into a project: worked out first as a plan that changes nothing, then applied in one step."""

from __future__ import annotations

from app.project.imports.matching import Match, schema_for
from app.project.imports.plan import ImportPlan, Wishes, apply_import, plan_import

__all__ = ["ImportPlan", "Match", "Wishes", "apply_import", "plan_import", "schema_for"]
