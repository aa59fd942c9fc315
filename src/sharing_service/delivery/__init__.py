"""What an application receives: ledgers, documents, exports, disclosures."""
