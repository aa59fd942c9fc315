"""Tests of the faces over HTTP."""
