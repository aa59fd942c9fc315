"""Which records a grant shares: permissions, rules, resolver, grants."""
