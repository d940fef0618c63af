"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# How fast examples are made is the machine's affair, not feedpub's.
settings.register_profile("feedpub", suppress_health_check=[HealthCheck.too_slow], deadline=None)
# The same examples each time, so that CI judges a change and not its luck: .ci/run takes it. The
# random examples of everyone else's runs are what finds new faults.
settings.register_profile("ci", settings.get_profile("feedpub"), derandomize=True)
settings.load_profile("feedpub")
