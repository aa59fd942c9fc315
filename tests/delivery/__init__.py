"""Tests of ledgers, documents and disclosures."""
