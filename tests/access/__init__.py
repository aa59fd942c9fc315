"""Tests of tokens and idempotency keys."""
