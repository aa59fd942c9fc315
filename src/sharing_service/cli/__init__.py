"""The face in a shell: serve the service, try it, feed it."""
