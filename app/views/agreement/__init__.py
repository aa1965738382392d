"""Agreement of the open project with another annotator's labels, or with a model."""
