"""How hosts serve the tree: response headers, compressed copies, files that configure a host."""
