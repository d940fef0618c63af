"""The steps of a run: what each does with files, store, processes and the output tree."""
