"""The requirements of OWASP's ASVS 5.0.0, levels 1 and 2, and the tests that show which of them are met."""
