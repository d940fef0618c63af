"""The output tree: planned against what is there, staged, and moved in one burst."""
