"""From files to records: finding, reading, understanding, and making safe what came in."""
