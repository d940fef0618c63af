"""The output tree → static hosts: planned, then done; then the hubs are told."""
