"""A double of the vendor, API and push, for the demo, the tests and a newcomer."""
