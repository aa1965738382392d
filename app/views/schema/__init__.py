"""The schema editor: which landmarks a project has, and what a change does to its labels."""
