"""Where places are: coordinate systems, distances, and how far counties reach."""
