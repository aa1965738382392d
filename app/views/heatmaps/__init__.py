"""The heatmap dock: why did the network put a landmark where it did."""
