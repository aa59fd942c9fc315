"""What tests are made of: rosters, uploads, permissions and parts of a running service."""
