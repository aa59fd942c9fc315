"""Requests that schemathesis makes up from the OpenAPI document, as each role."""
