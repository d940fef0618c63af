"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# How fast examples are made is the machine's affair, not feedpub's.
settings.register_profile("feedpub", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("feedpub")
