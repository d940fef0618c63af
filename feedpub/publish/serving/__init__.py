"""How hosts serve the tree: response headers, compressed copies, and files that configure a host."""
