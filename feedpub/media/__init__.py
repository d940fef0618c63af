"""What is known of an enclosure: its type, its length, its size."""
