"""What those who write the course need: checks, stored outputs, translations, the test suite."""
