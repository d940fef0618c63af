"""From records to feeds: which record is in which feed, what each is called, where it lives."""
