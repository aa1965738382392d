"""The project room: labels as values, one door for change, one SQLite file. No Qt."""
